"""The parameters of requests where one that is passed over would change what is meant."""

from collections import Counter
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request

from hosting.domain.errors import InvalidRequest

_SHOWN: Final = 100


def check_parameters(request: Request[Any, Any, Any], *known: str) -> None:
    """Make sure that a request has these parameters only, and none of them twice.

    Without that `?projectId=web` would set, delete or give what holds in the whole tenant.

    Raises:
        InvalidRequest: it has another one, or one twice.
    """
    query = request.scope["query_string"].decode("latin-1")
    for name, times in Counter(name for name, _ in parse_qsl(query, keep_blank_values=True)).items():
        if name not in known:
            named = ", ".join(f"`{each}`" for each in known)
            raise InvalidRequest(f"There is no parameter {name[:_SHOWN]!r} here; those there are: {named}.")
        if times > 1:
            raise InvalidRequest(f"The parameter `{name}` is said more than once.")

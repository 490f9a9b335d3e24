"""Whose share a request takes, before anybody has looked who is asking."""

from typing import Any, cast

import pytest
from litestar.types import Scope

from hosting.api.shares import Shares
from hosting.domain.scope import LOCAL_TENANT
from hosting.domain.share import STRANGERS


@pytest.mark.parametrize(
    ("client", "headers", "share"),
    [
        (("127.0.0.1", 4711), [], LOCAL_TENANT),
        (("203.0.113.7", 4711), [], STRANGERS),
        (None, [], STRANGERS),
        (("127.0.0.1", 4711), [(b"authorization", b"Bearer never-seen")], STRANGERS),
    ],
)
def test_only_who_is_near_takes_the_local_tenants_share_without_a_word(
    client: tuple[str, int] | None, headers: list[Any], share: str
) -> None:
    scope = {"client": client, "server": ("10.0.0.1", 8000), "headers": headers}

    assert Shares().share(cast("Scope", scope)) == share

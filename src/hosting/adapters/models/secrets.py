"""Keys of a toolset, kept out of everything that is told."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from hosting.domain.secret import Secret
from hosting.domain.toolset_config import MASK

_SHORTEST: Final = 6
_OF_SECRETS: Final = re.compile("key|token|secret|pass|auth|cred", re.IGNORECASE)


class Secrets:
    """Values that must not be in an event, an error or a line of the log, whoever repeats them."""

    def __init__(self, values: Iterable[str]) -> None:
        # "Bearer abc" is a secret, and so is "abc".
        whole = {part for value in values for part in (value, value.rpartition(" ")[2]) if len(part) >= _SHORTEST}
        self._values = sorted(whole, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """Return a text without them."""
        for value in self._values:
            text = text.replace(value, MASK)
        return text


def revealed(secrets: Mapping[str, Secret]) -> dict[str, str]:
    """Return secrets as what they are, for whom they are sent to."""
    return {name: secret.reveal() for name, secret in secrets.items()}


def secret_values(environment: Mapping[str, str]) -> Iterator[str]:
    """Return the values of variables that are called as keys are; a time zone in a result stays readable."""
    return (value for name, value in environment.items() if _OF_SECRETS.search(name))


def secrets_of_url(url: str | None) -> Iterator[str]:
    """Return the values in the query of a URL."""
    return (value for _, value in parse_qsl(urlsplit(url or "").query))

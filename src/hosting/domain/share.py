"""Whose share of the server is being used, by whatever task."""

from contextvars import ContextVar
from typing import Final

STRANGERS: Final = ""
"""The share of all who are not known yet; no tenant has this name."""

SHARE: Final[ContextVar[str]] = ContextVar("share", default="\0server")
"""Tasks that a request begins, its run among them, have its share; what the server does by itself has its own."""

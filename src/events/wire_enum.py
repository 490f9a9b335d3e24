"""Enums as the wire writes them: snake_case out, PascalCase taken too."""

from enum import StrEnum
from typing import Self


class WireEnum(StrEnum):
    """An enum whose members are written in snake_case and also read in PascalCase, as older clients send them."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((member for member in cls if _pascal_case(member.value) == value), None)


def _pascal_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))

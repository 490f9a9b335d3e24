"""What must not be seen: a value that shows, prints and encodes nothing of itself."""

from hmac import compare_digest
from typing import Final, NoReturn

HIDDEN: Final = "Secret(***)"


class Secret:
    """A secret text; `reveal` is the only way to it.

    However it is shown, logged or formatted, it says `Secret(***)`, without a hint of how long it is. Encoders of JSON
    do not know it, and it is neither pickled nor copied: what is not revealed on purpose stays where it is.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself, for whoever the secret is meant for."""
        return self.__text

    def __repr__(self) -> str:
        return HIDDEN

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, form: str) -> str:
        return format(HIDDEN, form)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        # Not faster for a guess that is nearly right.
        return isinstance(other, Secret) and compare_digest(_bytes(self.__text), _bytes(other.__text))

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not pickled or copied; reveal it where it is needed.")


def _bytes(text: str) -> bytes:
    # Half a surrogate, which a variable of the environment can hold, is no reason to fail.
    return text.encode("utf-8", "surrogatepass")

"""Why a client's tools are not taken.

ValueError
+-- ClientToolInputRefused
"""

from typing import Final

_LONGEST_ECHO: Final = 100


class ClientToolInputRefused(ValueError):
    """What a client says of its tools cannot be taken; none of it was.

    `place` names the member, as in `clientToolHarnesses[0].tools[1].name`; it is empty when the whole is meant.
    """

    def __init__(self, place: str, complaint: str) -> None:
        self.place, self.complaint = place, complaint
        super().__init__(f"`{place}` {complaint}." if place else f"The client tool input {complaint}.")

    def below(self, parent: str) -> "ClientToolInputRefused":
        """Return the same refusal with its place as seen from outside, `parent` being the member it was read from."""
        return ClientToolInputRefused(f"{parent}.{self.place}" if self.place else parent, self.complaint)


def quoted(name: str) -> str:
    """Return a name as a sentence shows it, with at most 100 characters of it."""
    return repr(name if len(name) <= _LONGEST_ECHO else f"{name[:_LONGEST_ECHO]}...")

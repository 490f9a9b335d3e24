"""The names of files that clients upload: shown and handed back, and never a path of this machine."""

import re
from typing import Final

LONGEST_BYTES: Final = 255
"""In UTF-8: what the usual file systems take."""

# Control characters, line and paragraph separators, halves of surrogate pairs, and what turns the direction of
# writing around: with that `exe.gpj` is shown as something that it is not.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def why_not_a_name(name: str) -> str | None:
    """Return why a file cannot be called so; None when it can."""
    if name in {"", ".", ".."} or "/" in name or "\\" in name:
        return "it must be a name without a path: no `/`, no `\\`, and neither `.` nor `..`"
    if _UNSEEN.search(name):
        return "it has control characters in it, or others that no name has"
    if len(name.encode()) > LONGEST_BYTES:
        return f"it is longer than {LONGEST_BYTES} bytes"
    return None

"""The names of files that clients upload: shown and handed back, and never a path of this machine."""

import re
from typing import Final
from urllib.parse import unquote

LONGEST_BYTES: Final = 255
"""In UTF-8: what the usual file systems take."""

# Control characters, line and paragraph separators, halves of surrogate pairs, and what turns the direction of
# writing around: with that `exe.gpj` is shown as something that it is not.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_PARAMETER: Final = re.compile(r""";[ \t]*([A-Za-z*]+)[ \t]*=[ \t]*("(?:\\"|[^"])*"|[^;]*)""")
_ESCAPED: Final = re.compile(r"""%22|%0[dD]|%0[aA]|\\(?=")""")
_MEANS: Final = {"%22": '"', "%0d": "\r", "%0a": "\n"}
_IN_UTF_8: Final = "utf-8''"


def name_in(disposition: str) -> str | None:
    """Return the name that the header of a form's part says (RFC 7578, section 4.2); None when it says none.

    It is escaped as browsers do it (https://url.spec.whatwg.org, multipart/form-data encoding), or as clients did it
    before. A path stays a path: who takes its last part for the name takes names that nobody meant.
    """
    said = {name.lower(): value.strip() for name, value in _PARAMETER.findall(disposition)}
    if "filename" in said:
        value = said["filename"]
        return _ESCAPED.sub(_meant, value[1:-1] if value.startswith('"') else value)
    extended = said.get("filename*", "")
    return unquote(extended[len(_IN_UTF_8) :]) if extended[: len(_IN_UTF_8)].lower() == _IN_UTF_8 else None


def _meant(match: re.Match[str]) -> str:
    return _MEANS.get(match[0].lower(), "")


def why_not_a_name(name: str) -> str | None:
    """Return why a file cannot be called so; None when it can."""
    if name in {"", ".", ".."} or "/" in name or "\\" in name:
        return "it must be a name without a path: no `/`, no `\\`, and neither `.` nor `..`"
    if _UNSEEN.search(name):
        return "it has control characters in it, or others that no name has"
    if len(name.encode()) > LONGEST_BYTES:
        return f"it is longer than {LONGEST_BYTES} bytes"
    return None

"""Wire bytes made comparable: what is different in every run gets a name, and the same thing always the same name."""

import re

_VOLATILE = re.compile(
    r"(?P<id>(?:ses|run|msg|trn)_[0-9a-f]{32})"
    r'|(?<="traceId":")(?P<trace>[0-9a-f]{32})'
    r'|(?<=panId":")(?P<span>[0-9a-f]{16})'
    r'|(?<="eventId":")(?P<epoch>[0-9a-f]{12})'
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)"
    r"|(?P<duration>PT\d+(?:\.\d+)?S)"
)
_UNNUMBERED = {"epoch": "EPOCH", "time": "TIME", "duration": "DURATION"}


def named(lines: list[str]) -> list[str]:
    """Replace ids, traces and spans by numbered names, and epoch, times and durations by their kind."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}

    def name(match: re.Match[str]) -> str:
        kind, value = str(match.lastgroup), match[0]
        if kind in _UNNUMBERED:
            return _UNNUMBERED[kind]
        if value not in names:
            prefix = value[:3] if kind == "id" else kind
            counts[prefix] = counts.get(prefix, 0) + 1
            names[value] = f"{prefix}_{counts[prefix]}"
        return names[value]

    return [_VOLATILE.sub(name, line) for line in lines]

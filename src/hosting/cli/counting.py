"""Numbers of things, as people say them."""


def counted(count: int, one: str, more: str = "") -> str:
    """Return `1 session`, `2,000 sessions`; `more` is the plural where that is not `one` and an s."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"

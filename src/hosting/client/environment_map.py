"""An environment map, as a worker takes it."""

from msgspec import Struct


class EnvironmentMap(Struct, frozen=True, kw_only=True, rename="camel"):
    """Variables with their secret values, and until when they are good unless a change is told before (RFC 3339).

    However it is shown, it shows no value.
    """

    env: dict[str, str]
    refresh_until: str

    def __repr__(self) -> str:
        """Show the names alone."""
        return f"EnvironmentMap(env={{{', '.join(self.env)}}}, refresh_until={self.refresh_until!r})"

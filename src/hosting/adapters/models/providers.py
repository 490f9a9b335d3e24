"""The providers of a server's models: one client for each, closed with the server."""

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from hosting.adapters.models.choice import ModelChoice

if TYPE_CHECKING:
    # An extra: whoever has no models has not installed it, and a server imports it with the first model.
    from pydantic_ai.models import Model


class Providers:
    """Makes models; those of one provider, at one place and with one key, share its client until `close`.

    Making the first one imports the provider's library and reads certificates: that is work for a thread.
    """

    def __init__(self) -> None:
        self._made: dict[ModelChoice, Any] = {}
        self._lock = Lock()

    def model(self, choice: ModelChoice) -> "Model":
        """Return a model whose client is shared.

        Raises:
            ModelRefused: there is no such provider or model, or its key or library is missing.
        """
        from hosting.adapters.models.making import make_model, make_provider  # noqa: PLC0415 - an extra

        place = replace(choice, name="")
        with self._lock:
            provider = self._made.get(place)
            if provider is None:
                provider = self._made[place] = make_provider(choice)
        return make_model(choice, provider)

    async def close(self) -> None:
        """Close the connections of all providers."""
        with self._lock:
            made, self._made = list(self._made.values()), {}
        for provider in made:
            async with provider:
                # Leaving closes what the provider has opened itself; one that was never used has nothing open.
                pass

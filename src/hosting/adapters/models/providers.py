"""The providers of a server's models: one client for each, closed with the server or when it is no longer asked."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from hosting.adapters.models.choice import ModelChoice

if TYPE_CHECKING:
    # An extra: whoever has no models has not installed it, and a server imports it with the first model.
    from pydantic_ai.models import Model

_MOST: Final = 64
_MOST_MODELS: Final = 64


@dataclass(frozen=True, slots=True)
class _Made:
    """A provider, and its models by their names: making one looks up what it costs, which takes a millisecond."""

    provider: Any
    models: dict[str, "Model"] = field(default_factory=dict)


class Providers:
    """Makes models; those of one provider, at one place and with one key, share its client.

    The connections of the `most` that were asked last are kept for the next run; those of others are closed as soon as
    no run asks them.
    Making the first one imports the provider's library and reads certificates: that is work for a thread.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._made: OrderedDict[ModelChoice, _Made] = OrderedDict()
        self._own: WeakSet[Any] = WeakSet()
        self._open: OrderedDict[Any, None] = OrderedDict()
        self._lock = Lock()

    def model(self, choice: ModelChoice) -> "Model":
        """Return a model whose client is shared.

        Raises:
            ModelRefused: there is no such provider or model, or its key or library is missing.
        """
        from hosting.adapters.models.making import make_model, make_provider  # noqa: PLC0415 - an extra

        place = replace(choice, name="")
        with self._lock:
            made = self._made.get(place)
            if made is None:
                made = self._made[place] = _Made(make_provider(choice))
                self._own.add(made.provider)
            self._made.move_to_end(place)
            # Models that have been made keep theirs; it has nothing open as long as no run asks it.
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        model = made.models.get(choice.name)
        if model is None:
            model = make_model(choice, made.provider)
            # Clients name models as they like: who comes too late has one made for each run.
            if len(made.models) < _MOST_MODELS:
                made.models[choice.name] = model
        return model

    @asynccontextmanager
    async def asked(self, model: object) -> AsyncIterator[None]:
        """Keep the connections of a model that was made here for at least as long as a run asks it."""
        provider = getattr(model, "provider", None)
        if provider is None or provider not in self._own:
            yield
            return
        # A provider counts who is within, closes what it has opened when the last one leaves, and can open it anew.
        async with provider:
            await self._keep(provider)
            yield

    async def close(self) -> None:
        """Close the connections of all providers."""
        while self._open:
            await self._leave(self._open.popitem()[0])

    async def _keep(self, provider: Any) -> None:
        if provider not in self._open:
            await provider.__aenter__()
            if provider in self._open:
                # Another run was quicker.
                await self._leave(provider)
            self._open[provider] = None
        self._open.move_to_end(provider)
        if len(self._open) > self._most:
            await self._leave(self._open.popitem(last=False)[0])

    async def _leave(self, provider: Any) -> None:
        await provider.__aexit__(None, None, None)

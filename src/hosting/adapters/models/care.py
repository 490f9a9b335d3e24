"""The care that a server takes with the providers that its agents ask."""

from dataclasses import dataclass, field, replace
from typing import Protocol, Self, runtime_checkable

from hosting.adapters.models.patience import Patience
from hosting.adapters.models.providers import Providers
from hosting.ports.agents import Limits
from middleware.circuit_breaker import CircuitBreaker


@dataclass(frozen=True, slots=True)
class Care:
    """How long a provider is waited for, when it is left alone, and the clients for it; one for a whole server."""

    patience: Patience = field(default_factory=Patience)
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    providers: Providers = field(default_factory=Providers)

    def within(self, limits: Limits) -> Self:
        """Return the care for an agent with these limits."""
        patience = self.patience.within(
            first=limits.model_first_timeout, idle=limits.model_idle_timeout, call=limits.model_call_timeout
        )
        return replace(self, patience=patience)


@runtime_checkable
class AsksProviders(Protocol):
    """An agent that asks providers, and does so with the care of whatever server hosts it."""

    def ask_with(self, care: Care) -> None:
        """Take this care from now on."""
        ...

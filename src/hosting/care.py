"""How the providers of models are asked, by a server and by a worker."""

from datetime import timedelta

from hosting.adapters.models.care import Care
from hosting.adapters.models.patience import Patience
from hosting.settings import Settings
from middleware.circuit_breaker import CircuitBreaker


def care_of(settings: Settings) -> Care:
    """Return how the providers of models are asked, as the settings have it."""
    patience = Patience(
        first=timedelta(seconds=settings.model_first_seconds),
        idle=timedelta(seconds=settings.model_idle_seconds),
        call=timedelta(seconds=settings.model_call_seconds),
    )
    return Care(patience, CircuitBreaker(failures=settings.model_circuit_failures))

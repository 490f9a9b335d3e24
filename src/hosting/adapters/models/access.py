"""How a run comes by a model: which it is, and whose key it is asked with."""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hosting.adapters.models.choice import KeyMissing, ModelChoice, ModelRefused
from hosting.adapters.models.providers import Providers
from hosting.adapters.models.usual_credentials import usual_credential
from hosting.domain.secret import Secret
from hosting.ports.summaries import SummaryContext
from middleware.errors import CredentialMissing, CredentialUnusable

if TYPE_CHECKING:
    # An extra: whoever has no models has not installed it, and a server imports it with the first model.
    from pydantic_ai.models import Model

_SENDABLE: Final = re.compile(r"[!-~]+")
_NOT_YET: Final = Secret("none")
"""Stands for a key that comes with the run."""


@dataclass(frozen=True, slots=True)
class Access:
    """A model, and whose key it is asked with; the key is looked up for each run, so that a changed one counts at once.

    That is the `credential` that is named, and nothing takes its place. Without one it is the tenant's own of the
    provider's usual variable, and if there is none the server's, as far as that may be used (`of_server`).
    A model with a key or an endpoint of its own has that key or none: what a provider's usual variable opens is not
    for other places.
    """

    choice: ModelChoice
    credential: str | None = None
    of_server: bool = False

    @property
    def usual(self) -> str | None:
        """The tenant's credential that is taken where none is named."""
        is_apart = self.choice.endpoint is not None or self.choice.key is not None
        return None if is_apart else usual_credential(self.choice.provider)

    def sample(self, providers: Providers, known: Collection[str] | None) -> "Model":
        """Return the model as it is without a run, to see what it takes; its key is not there yet, perhaps.

        `known` are the credentials that runs can have now; None when nobody has looked.

        Raises:
            ModelRefused: it cannot be used, or not with what there is.
        """
        if self.credential is not None:
            return providers.model(replace(self.choice, key=_NOT_YET))
        if self._is_closed:
            made = providers.model(replace(self.choice, key=_NOT_YET))
            if known is not None and self.usual not in known:
                raise KeyMissing(self._needed)
            return made
        try:
            return providers.model(self.choice)
        except KeyMissing:
            if self.usual is None or (known is not None and self.usual not in known):
                raise
            return providers.model(replace(self.choice, key=_NOT_YET))

    def named(self, name: str | None) -> "Access":
        """Return the access to another model of the same provider, with the same key; to this one without a name."""
        return self if name is None else replace(self, choice=replace(self.choice, name=name))

    async def model(self, providers: Providers, context: SummaryContext) -> "Model":
        """Return the model for a run.

        Raises:
            CredentialMissing, CredentialUnusable: its key is not there.
            ModelRefused: it cannot be used.
        """
        key = await self._key(context)
        choice = self.choice if key is None else replace(self.choice, key=key)
        return await asyncio.to_thread(providers.model, choice)

    @property
    def _is_closed(self) -> bool:
        return not self.of_server and self.choice.endpoint is None and self.choice.key is None

    @property
    def _needed(self) -> str:
        return (
            f"The provider {self.choice.provider[:100]} needs the credential {self.usual}: an operator sets it, as "
            "`branchline credentials set` does, or the definition names another one as the model's `credential`."
        )

    async def _key(self, context: SummaryContext) -> Secret | None:
        if self.credential is not None:
            return _sendable(self.credential, await context.credential(self.credential))
        usual = self.usual
        if usual is None:
            if self._is_closed:
                raise ModelRefused(f"The provider {self.choice.provider[:100]} takes no key of a credential.")
            return None
        try:
            return _sendable(usual, await context.credential(usual))
        except CredentialMissing as error:
            if self.of_server:
                return None
            # The server's own key is its operator's, and not for what other tenants define (docs/decisions/0021).
            raise CredentialMissing(usual, self._needed) from error


def _sendable(name: str, key: Secret) -> Secret:
    # No header can hold anything else: libraries fail as if the provider did, and its circuit is everybody's.
    if _SENDABLE.fullmatch(key.reveal()) is None:
        raise CredentialUnusable(
            name,
            f"Credential {name} cannot be the key of a model: it has blanks, line breaks or other signs than ASCII.",
        )
    return key

"""Which model is wanted, and why it cannot be had."""

from dataclasses import dataclass
from typing import Final

from hosting.domain.secret import Secret
from middleware.errors import AgentError

_WITH_ENDPOINT: Final = {"openai": "openai-chat"}
"""What speaks at an address of its own: a server that is compatible with OpenAI's has its chat completions."""


class ModelRefused(AgentError):
    """A model cannot be used; the sentence says what is missing and holds no secret."""


class ModelUnknown(ModelRefused):
    """A provider has no such model."""


class KeyMissing(ModelRefused):
    """A provider needs a key that is not there."""


class EndpointRefused(ModelRefused):
    """A provider is at one address only."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model: whose it is, what it is called there, and perhaps where else it is and the key for it.

    The server's own keys are for `endpoint` only if it is `trusted`: they must not be sent wherever a client says.
    """

    provider: str
    name: str
    endpoint: str | None = None
    key: Secret | None = None
    trusted: bool = False

    @classmethod
    def parse(cls, text: str, endpoint: str | None = None) -> "ModelChoice":
        """Read `provider:model`, as an operator writes it.

        Raises:
            ModelRefused: it has no colon, or nothing before or behind it.
        """
        provider, _, name = text.partition(":")
        if not provider or not name:
            raise ModelRefused(f"A model is written as provider:model, such as openai:gpt-5-mini, not {text!r:.100}.")
        return cls(provider, name, endpoint, trusted=True)

    @property
    def kind(self) -> str:
        """The provider in pydantic-ai's words."""
        return _WITH_ENDPOINT.get(self.provider, self.provider) if self.endpoint else self.provider

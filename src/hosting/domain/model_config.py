"""What a run may say of the model that answers it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from events.strict import BodyRefused, members
from events.wire_enum import WireEnum
from hosting.domain.errors import InvalidInput, RunConfigRefused
from hosting.domain.secret import Secret

S = TypeVar("S")

_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VISIBLE: Final = re.compile(r"[\x20-\x7e]{1,8192}")
_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding"}
)
# Without case and underscores: there are servers that know a member however it is written.
_NOT_TO_BE_SAID: Final = frozenset(
    # What the server sends itself, by the names that the providers have for it; and OpenAI's older one of tools.
    {"contents", "input", "instructions", "messages", "model", "stream", "streamoptions", "system", "systeminstruction"}
    | {"functioncall", "functions", "tools"}
    # What would lead to another model, or to what lies at the provider and may be somebody else's.
    | {"cachedcontent", "container", "conversation", "models", "previousresponseid", "prompt"}
    # What answers in a form that nobody reads here: several at once, or one to be fetched later.
    | {"background", "candidatecount", "n"}
    # Tools that the provider would call, and nobody be asked for.
    | {"mcpservers"}
)

ModelName = Annotated[str, Meta(min_length=1, max_length=200)]
_Probability = Annotated[float, Meta(ge=0, le=1)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Count = Annotated[int, Meta(ge=1, le=10_000_000)]


class Effort(WireEnum):
    """How much a model is to think before it answers."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    EXTRA_HIGH = "extra_high"


class ReasoningOutput(WireEnum):
    """How much of what a model thinks is told."""

    NONE = "none"
    SUMMARY = "summary"
    FULL = "full"


class OutputMode(WireEnum):
    """How a model is brought to answer in a form: by what its provider has for that, or by a tool that it calls."""

    NATIVE = "native"
    TOOL = "tool"


class Reasoning(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """How a model is to think."""

    effort: Effort | None = None
    output: ReasoningOutput | None = None


class ChatOptions(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """How a model is to answer; what is left out is as the agent or the provider has it.

    `additionalProperties` go into the body of the request to the provider as they are; those that the server says
    itself, such as `model`, `messages`, `tools` and `stream`, are refused.
    """

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: _Probability | None = None
    top_k: _Count | None = None
    max_output_tokens: _Count | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    model_id: ModelName | None = None
    stop_sequences: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=1000)], ...], Meta(max_length=16)] = ()
    additional_properties: dict[str, Any] = msgspec.field(default_factory=dict)
    reasoning: Reasoning | None = None


class StructuredOutput(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """The form of the answer: a JSON Schema of an object. The text of the answer is JSON that fits it."""

    mode: OutputMode
    schema: dict[str, Any]
    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
    description: Annotated[str, Meta(max_length=4000)] | None = None


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What one run says of its model; a member that is None or empty is left as the agent has it.

    `given` names the members that were sent, as the wire has them.
    `provider_options` go into the body of the request to the provider as they are.
    """

    given: tuple[str, ...] = ()
    chat: ChatOptions = field(default_factory=ChatOptions)
    provider_key: str | None = None
    model_id: str | None = None
    provider_options: Mapping[str, Any] = field(default_factory=dict)
    system_instructions: str | None = None
    additional_system_instructions: str | None = None
    skip_tools: bool = False
    structured_output: StructuredOutput | None = None
    api_key: Secret | None = None
    provider_endpoint: str | None = None
    custom_headers: Mapping[str, Secret] = field(default_factory=dict)

    @property
    def model_name(self) -> str | None:
        """The model that is wanted instead of the agent's."""
        return self.model_id or self.chat.model_id

    @property
    def is_apart(self) -> bool:
        """Whether a run says with which key, or where, the model is asked."""
        return self.api_key is not None or self.provider_endpoint is not None

    @property
    def asks_for_model(self) -> bool:
        """Whether another model is wanted than the agent's, or the same one at another place or with another key."""
        return bool(self.model_name or self.api_key or self.provider_endpoint)


NO_MODEL_CONFIG: Final = ModelConfig()
_NOTHING: Final = (False, ChatOptions())

SECRET_MEMBERS: Final = ("apiKey", "customHeaders")
"""What is stored sealed."""
NEEDS_LEAVE: Final = ("apiKey", "providerEndpoint", "customHeaders")
"""What leads the server's requests elsewhere, or makes them in another's name: refused unless its operator agrees."""


def read_model_config(given: Mapping[str, bytes]) -> ModelConfig | None:
    """Read the members of a `runConfig` that MODEL_MEMBERS has; None when nothing is asked for.

    Raises:
        InvalidInput: a member has the wrong form.
        RunConfigRefused: members do not go together, or something inside of one is not honoured.
    """
    read = {name: MODEL_MEMBERS[name][1](f"runConfig.{name}", value) for name, value in given.items()}
    asked = {name: value for name, value in read.items() if value not in _NOTHING}
    if not asked:
        return None
    config = ModelConfig(tuple(asked), **{MODEL_MEMBERS[name][0]: value for name, value in asked.items()})
    _check_together(config)
    return config


def not_honoured(member: str, by: str = "This server") -> RunConfigRefused:
    """Return the refusal of a member of `runConfig`, by its name."""
    return RunConfigRefused(f"{by} does not honour `runConfig.{member}`; leave it out.")


def not_to_be_said(options: Mapping[str, Any]) -> str | None:
    """Return the first of the members for a provider's request that the server alone says, if there is any."""
    return next((name for name in options if name.replace("_", "").casefold() in _NOT_TO_BE_SAID), None)


def check_endpoint(endpoint: str) -> str | None:
    """Return what is wrong with the address of a provider, if anything is."""
    try:
        parts = urlsplit(endpoint)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web or _VISIBLE.fullmatch(endpoint) is None or " " in endpoint:
        return "must be an address like https://models.example/v1"
    if parts.username is not None or parts.query or parts.fragment:
        return "must be an address without a user, a query or a fragment"
    return None


def read_struct(place: str, value: bytes | Mapping[str, Any], struct: type[S]) -> S:
    """Read an object strictly; `place` is what it is called in the sentences of errors.

    Raises:
        InvalidInput: a member has the wrong form.
        RunConfigRefused: it has a member that is not known.
    """
    try:
        return msgspec.json.decode(value, type=struct) if isinstance(value, bytes) else msgspec.convert(value, struct)
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at ")
        inside = f"{place}{at.strip('`').removeprefix('$')}"
        if unknown := _UNKNOWN.fullmatch(what):
            raise RunConfigRefused(
                f"This server does not honour `{inside}.{unknown[1][:100]}`; leave it out."
            ) from error
        if missing := _MISSING.fullmatch(what):
            raise InvalidInput(f"`{inside}.{missing[1]}` is missing.") from error
        raise InvalidInput(f"`{inside}` does not fit: {what[:1].lower()}{what[1:200]}.") from error


def _check_together(config: ModelConfig) -> None:
    if config.model_id and not config.provider_key:
        raise RunConfigRefused(
            "`runConfig.modelId` is honoured only with `runConfig.providerKey`; "
            "`runConfig.chat.modelId` is another model of the agent's own provider."
        )
    if config.model_id and config.chat.model_id not in {None, config.model_id}:
        raise RunConfigRefused("`runConfig.modelId` and `runConfig.chat.modelId` name two models; send one of them.")
    if config.provider_key and not config.model_name:
        raise RunConfigRefused("`runConfig.providerKey` is honoured only with `runConfig.modelId`.")
    for place, options in (
        ("providerOptionsJson", config.provider_options),
        ("chat.additionalProperties", config.chat.additional_properties),
    ):
        if (refused := not_to_be_said(options)) is not None:
            raise RunConfigRefused(f"`runConfig.{place}` may not say `{refused:.100}`: the server decides that itself.")


def _chat(place: str, value: bytes) -> ChatOptions:
    return read_struct(place, value, ChatOptions)


def _structured_output(place: str, value: bytes) -> StructuredOutput:
    wanted = read_struct(place, value, StructuredOutput)
    if wanted.schema.get("type") != "object":
        raise InvalidInput(f"`{place}.schema` must be a JSON Schema whose `type` is `object`.")
    return wanted


def _provider_options(place: str, value: bytes) -> dict[str, Any]:
    text = _text(place, value).encode()
    try:
        members(text)
        return msgspec.json.decode(text, type=dict[str, Any])
    except (BodyRefused, msgspec.DecodeError) as error:
        raise InvalidInput(f"`{place}` must be the text of a JSON object, at most 64 levels deep.") from error


def _text(place: str, value: bytes) -> str:
    return read_struct(place, value, str)


def _name(place: str, value: bytes) -> str:
    text = _text(place, value)
    if not 1 <= len(text) <= 200:
        raise InvalidInput(f"`{place}` must be a text of 1 to 200 characters.")
    return text


def _flag(place: str, value: bytes) -> bool:
    return read_struct(place, value, bool)


def _key(place: str, value: bytes) -> Secret:
    text = _text(place, value)
    if _VISIBLE.fullmatch(text) is None or " " in text:
        raise InvalidInput(f"`{place}` must be a text of visible ASCII characters.")
    return Secret(text)


def _endpoint(place: str, value: bytes) -> str:
    text = _text(place, value)
    if wrong := check_endpoint(text):
        raise InvalidInput(f"`{place}` {wrong}.")
    return text


def _headers(place: str, value: bytes) -> dict[str, Secret]:
    headers = read_struct(place, value, dict[str, str])
    for name, text in headers.items():
        if _HEADER.fullmatch(name) is None or _VISIBLE.fullmatch(text) is None:
            raise InvalidInput(f"`{place}` must be an object of header names and visible ASCII texts.")
        if name.lower() in _OF_THE_CONNECTION:
            raise InvalidInput(f"`{place}` may not hold `{name}`: the server sends that itself.")
    return {name: Secret(text) for name, text in headers.items()}


MODEL_MEMBERS: Final[Mapping[str, tuple[str, Callable[[str, bytes], Any]]]] = {
    "chat": ("chat", _chat),
    "providerKey": ("provider_key", _name),
    "modelId": ("model_id", _name),
    "providerOptionsJson": ("provider_options", _provider_options),
    "systemInstructions": ("system_instructions", _text),
    "additionalSystemInstructions": ("additional_system_instructions", _text),
    "skipTools": ("skip_tools", _flag),
    "structuredOutput": ("structured_output", _structured_output),
    "apiKey": ("api_key", _key),
    "providerEndpoint": ("provider_endpoint", _endpoint),
    "customHeaders": ("custom_headers", _headers),
}

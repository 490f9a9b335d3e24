"""Settings: from the environment (`BRANCHLINE_*`), then `branchline.toml`, then the defaults here."""

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import inspect

from hosting.api.origin import Origin
from hosting.domain.credential import DEFAULT_ENVIRONMENT
from hosting.domain.errors import BranchlineError
from hosting.domain.media_types import MediaTypes
from hosting.domain.sealed import read_secret
from hosting.domain.secret import Secret

_PREFIX: Final = "BRANCHLINE_"
_FILE: Final = "branchline.toml"
# What `branchline send` reads; who has it in the environment must still be able to start a server.
_OF_CLIENTS: Final = frozenset({"BRANCHLINE_URL", "BRANCHLINE_KEY"})
_SHARED_KEY: Final = "WORKER_API_KEY"
"""By which older servers knew it."""
_SELECTOR: Final = "ROUTING_SELECTOR_ENABLED"
"""By which they knew the switch of routing."""
_ON_WHEN_TRUE: Final = frozenset({"routing_selector_enabled"})
"""Off unless they are exactly `true`: what anybody else would take for a yes must not switch them on."""
_SECRETS: Final = frozenset({"database_url", "worker_api_key", "git_credentials"})
"""Whatever is wrong with them, what they hold is not shown."""
_FORM_OF_ORIGIN: Final = (
    "an origin is a scheme, a host and perhaps a port, such as https://chat.example, with nothing behind."
)
_NO_ORIGIN: Final = {
    "*": "any page that somebody opens could then use the server in their place. Name each origin.",
    "null": "local files and boxed-in pages of every site have that origin. Serve the page from a site and name it.",
}

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class SettingsRefused(BranchlineError):
    """A setting cannot be used; the sentence names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set; durations are seconds.

    A host program may say what is secret as a text; it becomes a Secret.
    """

    host: str = "127.0.0.1"
    """Where the server listens."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8000
    """The port; 0 takes a free one."""
    database_url: Secret = Secret("sqlite+aiosqlite:///./branchline.db")
    """Where everything is stored: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://...`."""
    lease_seconds: Annotated[float, msgspec.Meta(ge=0.3, le=3600)] = 5.0
    """How long a run stays without a node when its node has died, at most."""
    sweep_seconds: Seconds = 0.5
    """How often a node looks for runs that nobody holds, overdue questions, and what came to its runs elsewhere."""
    heartbeat_seconds: Annotated[float, msgspec.Meta(gt=0, le=10)] = 10.0
    """How often an idle live feed shows that it lives; 10 at most."""
    slow_reader_seconds: Annotated[float, msgspec.Meta(gt=0, le=25)] = 20.0
    """How long whoever reads a stream or a response may take nothing before the connection is cut; 25 at most."""
    grace_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 10.0
    """How long runs may go on when the server is told to stop; what has not ended then goes on in the next server."""
    tops_seconds: Seconds = 2.0
    """How often followed branches are compared with the store."""
    fold_seconds: Seconds = 2.0
    """How often messages and runs that have ended are stored smaller, and space is given back."""
    header_seconds: Seconds = 10.0
    """How long the head of a request may take to come, and the first byte of a new connection's first one."""
    keep_alive_seconds: Seconds = 75.0
    """How long a connection stays open between two requests."""
    body_idle_seconds: Seconds = 20.0
    """How long a request's body may pause."""
    body_seconds: Seconds = 900.0
    """How long a request's body may take in all; 16 MiB at 20 KB/s fit."""
    max_headers: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    """How many headers a request may have."""
    max_header_bytes: Annotated[int, msgspec.Meta(ge=1024, le=512 << 10)] = 64 << 10
    """How large the request line and the headers may be together."""
    connections_per_address: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 4096
    """How many connections one address may have open; behind a proxy, all have the proxy's."""
    retention_days: Annotated[float, msgspec.Meta(ge=0, le=36_500)] = 0.0
    """How long events stay in their log once their run has ended; 0 keeps them as long as their branch.

    Messages stay: the conversation goes on, and can be forked, without them.
    """
    retention_sweep_seconds: Seconds = 3600.0
    """How often logs are looked through for events that are older."""
    connections: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
    """How many connections may be open in all; three quarters of the files that the process may have, if less."""
    requests_at_once: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 32
    """How many requests are worked on at once; those that wait have their turn, tenant by tenant."""
    requests_at_once_per_tenant: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 16
    """How many of those may be one tenant's."""
    requests_waiting: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 4096
    """How many requests may wait for their turn, in all."""
    requests_waiting_per_tenant: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1024
    """How many of those may be one tenant's."""
    writes_waiting: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000
    """How many changes may wait for the store, in all, until no more are taken; those of runs go on."""
    writes_waiting_per_tenant: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 500
    """How many of those may be one tenant's."""
    body_bytes: Annotated[int, msgspec.Meta(ge=16 << 20, le=1 << 40)] = 256 << 20
    """How large the bodies of all requests under way may be together."""
    body_bytes_per_tenant: Annotated[int, msgspec.Meta(ge=16 << 20, le=1 << 40)] = 128 << 20
    """How large those of one tenant may be together."""
    ring_bytes: Annotated[int, msgspec.Meta(ge=1 << 20, le=1 << 40)] = 256 << 20
    """How much memory the newest events of all followed branches may take, about; older ones are read again."""
    streams: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 8000
    """How many live feeds and WebSockets may be open in all."""
    streams_per_tenant: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 4000
    """How many of those may be one tenant's."""
    runs: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 2000
    """How many runs a node works on at once, those that wait for an answer included; those of workers are not."""
    runs_per_tenant: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000
    """How many of those may be one tenant's."""
    run_attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    """How often a run is begun before it is given up."""
    upload_bytes: Annotated[int, msgspec.Meta(ge=1, le=1 << 40)] = 128 << 20
    """How large a file may be that is uploaded; a connection has `body_seconds` for it."""
    upload_types: tuple[str, ...] = ()
    """Which media types are taken of uploads, such as `image/*` and `application/pdf`; all, when none is named."""
    session_content_bytes: Annotated[int, msgspec.Meta(ge=1, le=1 << 50)] = 1 << 30
    """How many bytes of uploads one session may keep."""
    tenant_content_bytes: Annotated[int, msgspec.Meta(ge=1, le=1 << 50)] = 16 << 30
    """How many bytes of uploads all sessions of one tenant may keep together."""
    default_agent: str | None = None
    """The agent that answers under ids that no agent has; without it they are 404."""
    model: str | None = None
    """A model as `provider:name`, such as `openai:gpt-5-mini`, that answers as the agent `assistant`.

    Its key is in the provider's usual variable, such as OPENAI_API_KEY.
    """
    model_base_url: str | None = None
    """Where that model is, if not at its provider's own address; `openai` means chat completions there."""
    model_instructions: str | None = None
    """What that model is told to be."""
    model_first_seconds: Seconds = 120.0
    """How long a model may take until it begins to answer; one that thinks without telling needs long."""
    model_idle_seconds: Seconds = 60.0
    """How long a model may fall silent within an answer."""
    model_call_seconds: Seconds = 600.0
    """How long one answer of a model may take in all."""
    model_circuit_failures: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 5
    """After how many runs in a row that a model's provider failed it is not asked for a while."""
    client_endpoints: bool = False
    """Whether clients may say where a model or a tool server is, with which key and headers; for trusted ones only."""
    client_commands: bool = False
    """Whether definitions that clients store may start commands on this machine; for trusted ones only."""
    agents_folder: str = "agents"
    """Where definitions of agents lie, one a file; the folder need not be there."""
    recursive_delete: bool = True
    """Whether a branch may be deleted together with its forks."""
    worker_lease_seconds: Annotated[float, msgspec.Meta(ge=0.3, le=86_400)] = 120.0
    """How long a worker may be silent until what it works on is given to another."""
    worker_attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    """After how many workers that were lost with a run it is given up."""
    lane_lease_seconds: Annotated[float, msgspec.Meta(ge=0.3, le=604_800)] = 1800.0
    """How long a worker may take for work of a lane, which it tells nothing of, until another one gets it."""
    git_credentials: Secret | None = None
    """What workers get to clone repositories with: a JSON list of `{"token", "cloneUrl", "hours", "project"}`.

    The last two can be left out: they are told that it is good for an hour, and it is for all projects.
    """
    worker_api_key: Secret | None = None
    """The key that workers share which cannot register for one of their own; WORKER_API_KEY means the same."""
    credentials_environment: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = DEFAULT_ENVIRONMENT
    """The environment that runs are in here: of the credentials of environments they have those of this one."""
    key_file: str | None = None
    """Where the keys that sign the tokens of workers are; without it, in a file beside a SQLite file.

    On PostgreSQL there is none without it.
    """
    routing_selector_enabled: bool = False
    """Whether workers are told which provider to take; ROUTING_SELECTOR_ENABLED means the same.

    Only `true` switches it on; `TRUE`, `1` and the like do not.
    """
    routing_exploration_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    """How often a provider is tried whatever is known of it, from 0 (never) to 1 (always)."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may use the server, each as `scheme://host[:port]`; in the variable parted by commas."""
    public_url: str | None = None
    """Where workers reach the server, as `scheme://host[:port]`; without it, where they have asked."""

    def __post_init__(self) -> None:
        """Bring what host programs say into the same form as what people configure."""
        for name in _SECRETS:
            if isinstance(given := getattr(self, name), str):
                msgspec.structs.force_setattr(self, name, Secret(given))
        msgspec.structs.force_setattr(self, "origins", _origins("origins", self.origins))
        _media_types("upload_types", self.upload_types)
        if self.public_url is not None:
            msgspec.structs.force_setattr(self, "public_url", _public_url("public_url", self.public_url))


def load_settings(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Settings:
    """Read the settings.

    Raises:
        SettingsRefused: a value is out of range, or the file or environment names a setting that does not exist.
    """
    given = {name: _Given(name, f"{name} in {_FILE}", value) for name, value in _read_file(folder or Path.cwd())}
    if environment.get(_SHARED_KEY):
        given["worker_api_key"] = _Given("worker_api_key", _SHARED_KEY, environment[_SHARED_KEY])
    if _SELECTOR in environment:
        given["routing_selector_enabled"] = _Given("routing_selector_enabled", _SELECTOR, environment[_SELECTOR])
    for variable, value in environment.items():
        if variable.startswith(_PREFIX) and variable not in _OF_CLIENTS:
            name = variable.removeprefix(_PREFIX).lower()
            given[name] = _Given(name, variable, value, prefix=_PREFIX)
    return Settings(**{name: _checked(setting) for name, setting in given.items()})


@dataclass(frozen=True, slots=True)
class _Given:
    """A value, and the place that it was given in, as people know it."""

    name: str
    place: str
    value: object
    prefix: str = ""


def _read_file(folder: Path) -> Iterable[tuple[str, object]]:
    path = folder / _FILE
    try:
        return tomllib.loads(path.read_text("utf-8")).items() if path.is_file() else ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{_FILE} cannot be read: {error}.") from error


def _checked(given: _Given) -> Any:
    known = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    if given.name not in known:
        raise SettingsRefused(f"There is no setting {_shown(given.place)}.{_suggestion(given, known)}")
    if given.name in _ON_WHEN_TRUE and isinstance(given.value, str | int):
        return given.value is True or given.value == "true"
    try:
        kind = known[given.name]
        value = msgspec.convert(_parted(given, kind), kind, strict=False, dec_hook=read_secret)
    except msgspec.ValidationError as error:
        expected = _expected(known[given.name])
        shown = "" if given.name in _SECRETS else f", not {given.value!r:.100}"
        raise SettingsRefused(f"{given.place} must be {expected}{shown}.") from error
    check = _CHECKS.get(given.name)
    return value if check is None else check(given.place, value)


def _parted(given: _Given, annotation: Any) -> object:
    """Return the list that a variable's text stands for, where a list is wanted; in the file, lists are lists."""
    if not given.prefix or not isinstance(inspect.type_info(annotation), inspect.VarTupleType):
        return given.value
    return [part.strip() for part in str(given.value).split(",") if part.strip()]


def _origins(place: str, texts: Iterable[str]) -> tuple[str, ...]:
    found = {text: Origin.parse(text) for text in texts}
    for text, origin in found.items():
        if origin is None:
            raise SettingsRefused(f"{place} cannot hold {text!r:.100}: {_NO_ORIGIN.get(text, _FORM_OF_ORIGIN)}")
    return tuple(dict.fromkeys(map(str, found.values())))


def _public_url(place: str, text: str) -> str:
    origin = Origin.parse(text.removesuffix("/"))
    if origin is None or origin.scheme not in {"http", "https"}:
        raise SettingsRefused(f"{place} cannot be {text!r:.100}: it is http:// or https://, a host and perhaps a port.")
    return str(origin)


def _media_types(place: str, texts: Iterable[str]) -> tuple[str, ...]:
    texts = tuple(texts)
    try:
        MediaTypes.parse(texts)
    except ValueError as error:
        raise SettingsRefused(f"{place} cannot be used: {error}.") from error
    return texts


_CHECKS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "origins": _origins,
    "public_url": _public_url,
    "upload_types": _media_types,
}


def _suggestion(given: _Given, known: Iterable[str]) -> str:
    name = given.name.lower().removeprefix(_PREFIX.lower())
    near = get_close_matches(name, known, n=1)
    return f" Perhaps {(given.prefix + near[0]).upper() if given.prefix else near[0]} is meant." if near else ""


def _expected(annotation: Any) -> str:
    match inspect.type_info(annotation):
        case inspect.IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case inspect.FloatType(gt=None, ge=least, le=most):
            return f"a number from {least:g} to {most:g}"
        case inspect.FloatType(gt=bound, le=most):
            return f"a number above {bound:g} and up to {most:g}"
        case inspect.VarTupleType():
            return "a list of texts"
        case inspect.BoolType():
            return "true or false"
        case _:
            return "a text"


def _shown(place: str) -> str:
    return place[:100] if place.isprintable() else f"{place!r:.100}"

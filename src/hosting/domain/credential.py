"""A credential: a name, a secret that is stored sealed, and the layer of a tenant that it holds in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from events.ids import SessionId
from hosting.domain.credential_errors import CredentialRefused
from hosting.domain.scope import TenantId

DEFAULT_ENVIRONMENT: Final = "production"
"""The environment that is meant where none is said (docs/reference/worker-protocol.md)."""
MOST_BYTES: Final = 64 << 10
"""How long a value may be."""
MOST_OF_TENANT: Final = 1000
"""How many credentials a tenant may have: an environment map is read as a whole."""
LONGEST_LABEL: Final = 200

BLOCKED: Final = frozenset(
    {
        "AUDIT_SIGNING_KEY_PRIVATE",
        "AUDIT_SIGNING_KEY_PUBLIC",
        "DONMAI_CREDENTIAL_CAPABILITY",
        "DONMAI_DAEMON_API_KEY",
        "DONMAI_DAEMON_JWT",
        "DONMAI_DAEMON_TOKEN",
        "DONMAI_ORCHESTRATOR_URL",
        "DONMAI_RUNTIME_JWT",
        "M2M_JWT_SECRET",
        "WORKER_API_KEY",
        "WORKOS_API_KEY",
        "WORKOS_COOKIE_PASSWORD",
    }
)
"""What workers are run with themselves and drop from what they are given (docs/reference/worker-protocol.md)."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_FORM_OF_NAME: Final = "A credential's name is 1 to 128 of A-Z a-z 0-9 _, and begins with no digit."


@dataclass(frozen=True, slots=True)
class Layer:
    """Where in a tenant a credential holds; what is None does not narrow it, and all None is the whole tenant."""

    project: str | None = None
    environment: str | None = None
    session: SessionId | None = None

    @property
    def rank(self) -> int:
        """How narrow it is: of two that hold in one place, that of the higher rank counts.

        Whole tenant, project, environment, environment of a project, session; no two layers of one rank hold in one
        place.
        """
        return (self.project is not None) + 2 * (self.environment is not None) + 4 * (self.session is not None)

    @property
    def text(self) -> str:
        """The same as one text, which no other layer has."""
        return msgspec.json.encode((self.project, self.environment, self.session)).decode()


ALL: Final = Layer()
"""The whole tenant."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody works who is to have an environment map; no project or session means outside of any."""

    tenant: TenantId
    project: str | None = None
    environment: str = DEFAULT_ENVIRONMENT
    session: SessionId | None = None

    def is_in(self, layer: Layer) -> bool:
        """Whether what holds in a layer of this tenant holds here."""
        return (
            layer.project in {None, self.project}
            and layer.environment in {None, self.environment}
            and layer.session in {None, self.session}
        )


@dataclass(frozen=True, slots=True)
class CredentialLabel:
    """What is known of a credential without its value; `key_id` names the key that this is sealed with."""

    tenant: TenantId
    layer: Layer
    name: str
    key_id: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Credential(CredentialLabel):
    """A credential as stored, with its value sealed."""

    sealed: bytes = field(repr=False)

    @property
    def context(self) -> bytes:
        """What its value is sealed for: under another name, layer or tenant it opens nothing."""
        return msgspec.json.encode(("credential", self.tenant, self.layer.text, self.name))


def merge(credentials: Iterable[Credential], place: Place) -> dict[str, Credential]:
    """Return the credentials that count in a place, by their names: the narrower layer wins.

    Those of other tenants and layers are left out, whoever has picked them; so are those that workers would drop.
    """
    holding = [each for each in credentials if each.tenant == place.tenant and place.is_in(each.layer)]
    ranked = sorted(holding, key=lambda each: each.layer.rank)
    return {each.name: each for each in ranked if not is_blocked(each.name)}


def is_blocked(name: str) -> bool:
    """Say whether workers drop a name; where names of variables know no case, all spellings are one."""
    return name.upper() in BLOCKED


def is_credential_name(name: str) -> bool:
    """Say whether a credential can have this name."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Make sure that a credential can be set under a name.

    Raises:
        CredentialRefused: it cannot.
    """
    if not is_credential_name(name):
        raise CredentialRefused(_FORM_OF_NAME)
    if is_blocked(name):
        raise CredentialRefused(
            f"{name} is a variable that workers are run with themselves; no credential replaces it."
        )


def check_layer(layer: Layer) -> None:
    """Make sure that credentials can be set in a layer.

    Raises:
        CredentialRefused: they cannot.
    """
    for label, text in (("project", layer.project), ("environment", layer.environment)):
        if text is not None and (not text.strip() or not text.isprintable() or len(text) > LONGEST_LABEL):
            raise CredentialRefused(f"`{label}` takes 1 to {LONGEST_LABEL} printable characters.")
    if layer.session is not None and (layer.project is not None or layer.environment is not None):
        raise CredentialRefused("A session is a layer by itself: it goes with neither `project` nor `environment`.")


def check_value(value: str) -> None:
    """Make sure that a value can be that of a variable; what is wrong with it is told without it.

    Raises:
        CredentialRefused: it cannot.
    """
    if not value:
        raise CredentialRefused("The value is empty; DELETE removes a credential.")
    if "\0" in value:
        raise CredentialRefused("The value has a NUL in it, which no variable can hold.")
    if len(value.encode()) > MOST_BYTES:
        raise CredentialRefused(f"The value is longer than {MOST_BYTES} bytes.")

"""What is secret in a run's configuration: stored sealed for that run, and opened where it is executed."""

from typing import Final

import msgspec

from events.ids import RunId
from hosting.domain.model_config import SECRET_MEMBERS
from hosting.domain.run import Run
from hosting.domain.scope import TenantId
from hosting.domain.sealed import as_sealed, sealed_in
from hosting.domain.sealed_place import SealedPlace
from hosting.ports.credentials import Cipher

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def sealed_config(cipher: Cipher, tenant: TenantId, run_id: RunId, config: bytes) -> bytes:
    """Return a `runConfig` that was checked as it is stored.

    Raises:
        SealKeyMissing: something in it is secret, and this server has no key.
    """
    if not _may_hold_secrets(config):
        return config
    members, context = _MEMBERS.decode(config), SealedPlace.of_run(tenant, run_id).context
    for name in SECRET_MEMBERS:
        if bytes(members.get(name, b"null")) != b"null":
            members[name] = _raw(as_sealed(cipher.seal(bytes(members[name]), context)))
    return msgspec.json.encode(members)


def opened_config(cipher: Cipher, run: Run) -> bytes:
    """Undo that, for whoever executes the run.

    Raises:
        SealBroken: something was sealed for another run, or with a key that is no more.
        SealKeyMissing: something is sealed, and this server has no key.
    """
    if not _may_hold_secrets(run.config):
        return run.config
    members, context = _MEMBERS.decode(run.config), SealedPlace.of_run(run.scope.tenant, run.id).context
    for name in SECRET_MEMBERS:
        sealed = sealed_in(msgspec.json.decode(members[name])) if name in members else None
        if sealed is not None:
            members[name] = msgspec.Raw(cipher.open(sealed, context))
    return msgspec.json.encode(members)


def _may_hold_secrets(config: bytes) -> bool:
    # Of most configurations nothing is decoded; what a member's name could be written as, JSON writes with a backslash.
    return b"\\" in config or any(name.encode() in config for name in SECRET_MEMBERS)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))

"""Credentials that are always the same: the operator has written them down."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from hosting.domain.sealed import read_secret
from hosting.domain.secret import Secret
from hosting.domain.worker import Worker
from hosting.ports.clock import Clock
from hosting.ports.git_credentials import GitCredential

_Text = Annotated[str, Meta(min_length=1)]


class _Written(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    token: Secret
    clone_url: _Text
    hours: Annotated[float, Meta(gt=0, le=8760)] = 1.0
    project: str | None = None


_DECODER: Final = msgspec.json.Decoder(list[_Written], dec_hook=read_secret)


class StaticGitCredentials:
    """See the door, GitCredentials: each worker gets what is for its project, or for none."""

    def __init__(self, written: Secret | None, clock: Clock) -> None:
        """Read a JSON list of `{token, cloneUrl, hours?, project?}`.

        Raises:
            ValueError: it is none; the text says where, and nothing of what it holds.
        """
        self._clock = clock
        try:
            self._written = _DECODER.decode(written.reveal() if written else "[]")
            if not all(each.token for each in self._written):
                raise ValueError("a `token` is empty")
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
        except msgspec.DecodeError:
            raise ValueError("it is no JSON") from None

    async def issue(self, worker: Worker) -> Sequence[GitCredential]:
        """See GitCredentials.issue."""
        now, admitted = self._clock(), worker.admitted
        return [
            GitCredential(each.clone_url, now + timedelta(hours=each.hours), each.token)
            for each in self._written
            if each.project is None or not admitted or each.project in admitted
        ]

"""Work of a lane as its workers read it."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from events.serializer import timestamp_text
from hosting.api.fleet.lanes import RESULT_PATHS, job_id
from hosting.domain.lane_item import Lane
from hosting.ports.git_credentials import GitCredential
from hosting.services.fleet.lanes import LaneClaim

_WORK_TYPE = {Lane.BATCH: "code-survival-scan", Lane.KG_EXTRACT: "kg-extraction", Lane.LANDING: "merge-queue"}


class GitCredentialView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Access to a repository; `expiresAt` is RFC 3339."""

    token: str
    clone_url: str
    expires_at: str

    @classmethod
    def of(cls, credential: GitCredential) -> "GitCredentialView":
        """Show one to the worker that it is for."""
        until = timestamp_text(credential.expires_at)
        return cls(token=credential.token.reveal(), clone_url=credential.clone_url, expires_at=until)


def lane_work(claim: LaneClaim, server: str, credentials: Sequence[GitCredential]) -> dict[str, Any]:
    """Return what was put in, with what the server says of it; `server` is the address that the worker has asked."""
    item = claim.item
    shown = {"workType": _WORK_TYPE[item.lane], **item.payload, "batchJobId": job_id(item), "orgId": item.tenant}
    if not item.lane.has_result:
        return shown
    shown |= {
        "contractVersion": 1,
        "resultEndpoint": f"{server}{RESULT_PATHS[item.lane]}",
        "resultAuth": claim.secret.reveal(),
    }
    fitting = next((each for each in credentials if _is_of(each, item.payload.get("prRepo"))), None)
    return shown if fitting is None else {**shown, "gitCredential": GitCredentialView.of(fitting)}


def _is_of(credential: GitCredential, repository: object) -> bool:
    return isinstance(repository, str) and credential.clone_url.removesuffix(".git").endswith(f"/{repository}")

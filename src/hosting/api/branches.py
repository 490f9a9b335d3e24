"""Routes of branches."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from events.ids import MAIN_BRANCH, AgentId, BranchId, SessionId
from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.branch_views import BranchView, TreeView
from hosting.api.caller import Caller
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.api.sessions import check_id
from hosting.domain.branch import Branch, BranchPatch
from hosting.domain.errors import RecursiveDeleteDisabled
from hosting.domain.keyed_request import Answer
from hosting.domain.tree import Tree
from hosting.runtime.delete import delete_branch as remove_branch
from hosting.runtime.keyed import Keyed
from hosting.runtime.new_branch import NewBranch
from hosting.runtime.patch import patch_branch as change_branch
from hosting.runtime.sessions import create_branch


class CreateBranch(Struct, frozen=True, kw_only=True, rename="camel"):
    """A branch that is to be; without an id it gets one."""

    branch_id: BranchId | None = None
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None


class UpdateBranch(Struct, frozen=True, kw_only=True, rename="camel"):
    """Changes of a branch; what is missing or null stays as it is; a name in `metadata` whose value is null goes."""

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None


@post(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(CreateBranch),
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "invalid-request",
        "unknown-member",
        "branch-exists",
        "payload-too-large",
        "unsupported-media-type",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_branch(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> Response[BranchView]:
    """Create an empty branch beside the session's others."""

    async def create(keyed: Keyed[Branch] | None) -> Branch:
        await caller.check_agent(AgentId(agent_id))
        session = await caller.session(SessionId(session_id))
        body = await decode_body(await read_body(request), CreateBranch)
        if body.branch_id is not None:
            check_id("branchId", body.branch_id)
        new = NewBranch(body.branch_id, body.name, body.description, body.tags, body.metadata)
        return await create_branch(caller.runtime, session, new, keyed)

    return await once(request, caller, create, lambda branch: made(branch, ()))


@get("/sessions/{session_id:str}/branches", responses=answers("session-not-found", "storage-unavailable"))
async def list_branches(session_id: FromPath[str], caller: NamedDependency[Caller]) -> list[BranchView]:
    """List a session's branches in order of creation."""
    session = await caller.session(SessionId(session_id))
    branches = await caller.reads.branches(session.id)
    tree = Tree(branches)
    return [BranchView.of(branch, tree) for branch in branches]


@get(
    "/sessions/{session_id:str}/branches/{branch_id:str}",
    responses=answers("session-not-found", "branch-not-found", "storage-unavailable"),
)
async def get_branch(
    session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> BranchView:
    """Show a branch."""
    return await _placed(caller, await caller.branch(SessionId(session_id), BranchId(branch_id)))


@get(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}",
    responses=answers("agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable"),
)
async def get_agent_branch(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> BranchView:
    """Show a branch, asked for under an agent."""
    return await _placed(caller, await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id)))


@get(
    "/sessions/{session_id:str}/branches/{branch_id:str}/siblings",
    responses=answers("session-not-found", "branch-not-found", "storage-unavailable"),
)
async def list_siblings(
    session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> list[BranchView]:
    """List a fork's source and the forks made of it at the same message; of an original, all originals."""
    return await _siblings(caller, await caller.branch(SessionId(session_id), BranchId(branch_id)))


@get(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}/siblings",
    responses=answers("agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable"),
)
async def list_agent_siblings(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> list[BranchView]:
    """List a branch's siblings, asked for under an agent."""
    return await _siblings(caller, await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id)))


@get("/sessions/{session_id:str}/tree", responses=answers("session-not-found", "storage-unavailable"))
async def get_tree(session_id: FromPath[str], caller: NamedDependency[Caller]) -> TreeView:
    """Show which of a session's branches was forked from which, in order of creation."""
    session = await caller.session(SessionId(session_id))
    return TreeView.of(await caller.reads.branches(session.id))


@patch(
    "/sessions/{session_id:str}/branches/{branch_id:str}",
    request_max_body_size=MAX_BODY,
    opt=takes(UpdateBranch),
    responses=answers(
        "session-not-found",
        "branch-not-found",
        "invalid-request",
        "unknown-member",
        "payload-too-large",
        "unsupported-media-type",
        "storage-unavailable",
    ),
)
async def patch_branch(
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> BranchView:
    """Change what is said of a branch; metadata is merged, and a null removes the name."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id))
    body = await decode_body(await read_body(request), UpdateBranch)
    given = BranchPatch(body.name, body.description, body.tags, body.metadata)
    await change_branch(caller.runtime, branch, given)
    return await _placed(caller, await caller.branch(branch.scope.session_id, branch.scope.branch_id))


@delete(
    "/sessions/{session_id:str}/branches/{branch_id:str}",
    status_code=204,
    responses=answers(
        "session-not-found",
        "branch-not-found",
        "invalid-request",
        "protected-branch",
        "has-children",
        "recursive-delete-disabled",
        "branch-run-active",
        "storage-unavailable",
    ),
)
async def delete_branch(
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    *,
    recursive: FromQuery[bool] = False,
    force: FromQuery[bool] = False,
) -> None:
    """Delete a branch, with `recursive` its forks too; with `force` what runs there is interrupted first."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id))
    # Of `main` its protection is the truer word: the operator's setting would not let it go either.
    if recursive and branch.scope.branch_id != MAIN_BRANCH and not request.app.state.recursive_delete:
        raise RecursiveDeleteDisabled(branch.scope.branch_id)
    await remove_branch(caller.runtime, branch, recursive=recursive, force=force)


def made(branch: Branch, relatives: Sequence[Branch]) -> Answer:
    """Answer that a branch has come to be in its place."""
    scope = branch.scope
    return shown(BranchView.of(branch, Tree(relatives)), f"/sessions/{scope.session_id}/branches/{scope.branch_id}")


async def _placed(caller: Caller, branch: Branch) -> BranchView:
    """Show a branch in its place."""
    return BranchView.of(branch, Tree(await caller.reads.relatives(branch)))


async def _siblings(caller: Caller, branch: Branch) -> list[BranchView]:
    branches = await caller.reads.branches(branch.scope.session_id)
    tree = Tree(branches)
    if branch.forked_from is None:
        return [BranchView.of(other, tree) for other in branches if other.forked_from is None]
    group = tree.place_of(branch).group
    found = {other.scope.branch_id: other for other in branches}
    return [BranchView.of(found[sibling], tree) for sibling in group if sibling in found]

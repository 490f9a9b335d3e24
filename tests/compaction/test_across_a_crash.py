"""Compaction across `kill -9`, at every commit of its run: done and told once, and no stored summary is made anew."""

from collections import Counter
from collections.abc import Callable, Iterable

import httpx
import pytest

from tests.compaction.conftest import AGENTS
from tests.compaction.talking import answer_of, compactions, filled, post
from tests.crash.fatal import ACTING, QUICK, started_again
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.tree.branching import fork, view

Make = Callable[..., ServerProcess]
COMMITS = range(3, 9)
"""Those from the beginning of the turn until the history was compacted, or one more."""


async def cut(server: ServerProcess, session: str, branch: str, agent: str, death: str) -> str | None:
    """Let a run be cut at a commit, and begin again; return the words of that commit, None when none was so late."""
    died = server.folder / "died"
    died.unlink(missing_ok=True)
    async with Client(server.url) as client:
        (server.folder / "death").write_text(death)
        try:
            response = await post(client, session, agent, {"text": "Go on."}, branch)
            run_id = response.json()["runtimeRunId"]
            await client.ended(session, run_id, branch)
        except httpx.HTTPError:
            assert died.exists(), "the server died by itself"
    await started_again(server)
    async with Client(server.url) as client:
        for run in (await client.http.get(f"/sessions/{session}/branches/{branch}/runs")).json():
            assert (await client.ended(session, run["runtimeRunId"], branch))["status"] == "completed"
    (server.folder / "death").unlink(missing_ok=True)
    return died.read_text() if died.exists() else None


async def reckon(server: ServerProcess, session: str, branch: str, agent: str, given: list[str]) -> None:
    """Make sure of all that must hold of a compaction, wherever it was cut."""
    async with Client(server.url) as client:
        log = await client.log(session, branch)
        shown = await view(client, session, branch)
    check_log(log)
    if not any(event["type"] == "BRANCH_RUN_STARTED" for event in log):
        # Nobody was told that the input was accepted.
        assert shown["messageCount"] == len(given)
        return
    assert [event["status"] for event in compactions(log)] == ["started", "performed"]
    counts = Counter(event["type"] for event in log)
    summary, *kept = answer_of(log).split()
    assert (summary.startswith("sum_"), kept[:-1]) == (True, given[-2:])
    if agent == "hard":
        (compacted,) = (event for event in log if event["type"] == "BRANCH_HISTORY_COMPACTED")
        assert compacted["durableCompactedMessageIds"] == given[:-2]
        assert compacted["replacementMessages"][0]["messageId"] == summary
        assert shown["messageCount"] == 1 + 2 + 2
    else:
        assert counts["BRANCH_HISTORY_COMPACTED"] == 0
        assert counts["BRANCH_MIDDLEWARE_STATE_COMMITTED"] == 1
        assert shown["messageCount"] == len(given) + 2


async def at_each(server: ServerProcess, agent: str, commits: Iterable[int]) -> tuple[list[str], list[int]]:
    """Cut runs at these of their commits; return the words of each commit, and how many summaries were made for it."""
    words: list[str] = []
    made: list[int] = []
    paid = server.folder / "paid"
    async with Client(server.url) as client:
        session = await client.session()
        given = await filled(client, session, 7, width=20_000)
    for number in commits:
        paid.unlink(missing_ok=True)
        async with Client(server.url) as client:
            branch = (await fork(client, session, given[-1], f"f{number}"))["id"]
        died = await cut(server, session, branch, agent, f"before {number}")
        await reckon(server, session, branch, agent, given)
        assert died is not None, f"the run has no more commits than {words}"
        made.append(len(paid.read_text().splitlines()) if paid.exists() else 0)
        words.append(died)
    return words, made


async def test_a_compaction_is_done_once_at_whichever_commit_the_server_is_killed(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, AGENTS, **QUICK).start()

    words, made = await at_each(server, "hard", COMMITS)

    # There is so much that it is summarised in two pieces. Where the server dies with one that is stored nowhere, that
    # is made again, and nowhere else.
    assert sorted(made) == [*[2] * (len(made) - 2), 3, 3]
    assert any("COMPACTION" in died for died in words[:2])
    assert sum("BRANCH_HISTORY_COMPACTED" in died for died in words) == 1


@pytest.mark.parametrize(
    "death", ["before BRANCH_MIDDLEWARE_STATE_COMMITTED", "after BRANCH_MIDDLEWARE_STATE_COMMITTED"]
)
async def test_a_soft_compaction_is_kept_whole_or_not_at_all(make_server: Make, database_url: str, death: str) -> None:
    server = make_server(database_url, ACTING, AGENTS, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        given = await filled(client, session, 7)

    died = await cut(server, session, "main", "soft", death)

    assert died is not None
    await reckon(server, session, "main", "soft", given)
    assert len((server.folder / "paid").read_text().splitlines()) == 1

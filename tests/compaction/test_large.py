"""A conversation of 5 000 messages compacts, answers, forks, and is the same after `kill -9`."""

import asyncio
from collections.abc import Callable

from tests.compaction.conftest import AGENTS
from tests.compaction.talking import answer_of, compactions, filled, ran
from tests.following.lag import lags
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.tree.branching import fork, history, try_fork, view

Make = Callable[..., ServerProcess]
INPUTS = 10
OF_AN_INPUT = 499
"""And an answer."""
MESSAGES = 5_000
LONGEST_STOP_SECONDS = 0.5


async def shown(client: Client, session: str) -> list[str]:
    """Return all that is shown of the branches of a session, to the byte."""
    listed = await client.http.get(f"/sessions/{session}/branches")
    logs = [await client.log_text(session, branch["id"]) for branch in listed.json()]
    runs = await client.http.get(f"/sessions/{session}/branches/main/runs")
    return [listed.text, runs.text, *logs]


async def test_5000_messages_compact_answer_fork_and_are_the_same_after_a_kill(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, AGENTS).start()
    async with Client(server.url) as client:
        session = await client.session()
        ids = await filled(client, session, OF_AN_INPUT, width=50, inputs=INPUTS)
        before = await fork(client, session, ids[-1], "before")
        async with lags(server.url) as times:
            soft = await ran(client, session, "soft", runConfig={"compaction": {"keepMessages": 40}})
            hard = await ran(client, session, "hard", runConfig={"compaction": {"mode": "forced", "keepMessages": 20}})
            forks = [await fork(client, session, message) for message in (ids[-1], ids[-2])]
            refused = await try_fork(client, session, ids[100])
        compacted = next(event for event in hard if event["type"] == "BRANCH_HISTORY_COMPACTED")
        seen = await shown(client, session)

    server.kill()
    await asyncio.to_thread(server.start)

    async with Client(server.url) as client:
        assert await shown(client, session) == seen
        again = await fork(client, session, ids[-1])
        given = [await history(client, session, branch["id"]) for branch in (*forks, again)]
        check_log(await client.log(session))
        kept = await view(client, session)
    summary = compacted["replacementMessages"][0]["messageId"]
    assert compactions(soft)[-1]["messagesRemoved"] == len(ids) - 40
    assert len(answer_of(soft).split()) == 1 + 40 + 1
    # The first run's own two messages are among the 20.
    assert compacted["durableCompactedMessageIds"] == ids[:-18]
    assert answer_of(hard).split()[: 1 + 18] == [summary, *ids[-18:]]
    assert kept["messageCount"] == 1 + 20 + 2
    assert before["messageCount"] == MESSAGES == len(ids)
    assert given == [[summary, *ids[-18:]], [summary, *ids[-18:-1]], [summary, *ids[-18:]]]
    assert refused.json()["code"] == "fork-message-not-present"
    assert times[-1] < LONGEST_STOP_SECONDS, times[-10:]

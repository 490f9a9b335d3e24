"""The demo agent compacts when it is told to, and every route and log tells the same of it."""

import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.tree.branching import fork, history, said, try_fork, view


async def test_a_soft_compaction_changes_what_the_agent_is_given_and_not_the_branch(client: Client) -> None:
    session = await client.session()
    told = [message for number in range(4) for message in await said(client, session, f"Number {number}")]

    command, answer = await said(client, session, "/compact 3")

    log = await client.log(session)
    check_log(log)
    started, performed = (event for event in log if event["type"] == "COMPACTION")
    assert (started["status"], performed["status"]) == ("started", "performed")
    assert (performed["mode"], performed["behavior"], performed["strategy"]) == ("forced", "continue", "summary")
    assert performed["summaryContent"] == "4 messages; the user said 'Number 0' and 'Number 1'."
    assert (performed["originalMessageCount"], performed["compactedMessageCount"]) == (8, 5)
    summary, *kept = await history(client, session)
    assert summary.startswith("sum_")
    assert kept == [*told[4:], command, answer]
    assert (await view(client, session))["messageCount"] == 12
    copied = await fork(client, session, told[1])
    assert copied["messageCount"] == 2
    assert await history(client, session, copied["id"]) == told[:2]


async def test_a_hard_compaction_takes_messages_from_the_branch_and_puts_a_summary_in_their_place(
    client: Client,
) -> None:
    session = await client.session()
    told = [message for number in range(4) for message in await said(client, session, f"Number {number}")]

    command, answer = await said(client, session, "/compact 4 hard")

    log = await client.log(session)
    check_log(log)
    (compacted,) = (event for event in log if event["type"] == "BRANCH_HISTORY_COMPACTED")
    (summary,) = compacted["replacementMessages"]
    assert compacted["durableCompactedMessageIds"] == compacted["modelCompactedMessageIds"] == told[:4]
    assert (compacted["strategyKind"], compacted["retentionKind"], compacted["boundaryKind"]) == (
        "summary",
        "hard",
        "turn",
    )
    assert (await view(client, session))["messageCount"] == 1 + 4 + 2
    assert await history(client, session) == [summary["messageId"], *told[4:], command, answer]
    refused = [await try_fork(client, session, message) for message in told[:4]]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (400, "fork-message-not-present")
    ] * 4
    copied = await fork(client, session, told[5])
    assert (copied["messageCount"], copied["forkedAtMessageIndex"]) == (3, 2)
    assert await history(client, session, copied["id"]) == [summary["messageId"], *told[4:6]]
    at_summary = await fork(client, session, summary["messageId"])
    assert at_summary["messageCount"] == 1


async def test_a_compaction_of_what_is_compacted_already_changes_nothing(client: Client) -> None:
    session = await client.session()
    for number in range(3):
        await said(client, session, f"Number {number}")
    await said(client, session, "/compact 2 hard")
    before = (await history(client, session))[:-2]

    await said(client, session, "/compact 6 hard")

    skipped = [event for event in await client.log(session) if event["type"] == "COMPACTION"][-1]
    assert (skipped["status"], skipped["reason"]) == ("skipped", "insufficient_history")
    assert (await history(client, session))[: len(before)] == before


@pytest.mark.parametrize("retention", ["soft", "hard"])
async def test_a_second_summary_takes_the_place_of_the_first(client: Client, retention: str) -> None:
    session = await client.session()
    for number in range(3):
        await said(client, session, f"Number {number}")
    await said(client, session, f"/compact 2 {retention}")
    first = (await history(client, session))[0]

    await said(client, session, "/compact 2 hard")

    given = await history(client, session)
    assert [message for message in given if message.startswith("sum_")] == given[:1] != [first]
    compacted = [event for event in await client.log(session) if event["type"] == "COMPACTION"][-1]
    assert compacted["summaryContent"].startswith("8 messages")
    # The command that asked for the history is answered only then.
    assert (await view(client, session))["messageCount"] == len(given) + 2
    check_log(await client.log(session))

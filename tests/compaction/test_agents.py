"""Histories of agents that people write are compacted as their policies and inputs say, and a run never fails of it."""

import pytest

from tests.compaction.talking import answer_of, compactions, filled, post, ran
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.tree.branching import fork, view


async def test_a_history_is_compacted_before_the_turn_that_would_be_given_too_much(
    client: Client, server: ServerProcess
) -> None:
    session = await client.session()
    ids = await filled(client, session, 5)

    at_six = await ran(client, session, "hard")
    at_eight = await ran(client, session, "hard")

    assert (compactions(at_six), compactions(at_eight)[-1]["status"]) == ([], "performed")
    (compacted,) = (event for event in at_eight if event["type"] == "BRANCH_HISTORY_COMPACTED")
    assert compacted["durableCompactedMessageIds"] == ids
    summary, *kept = answer_of(at_eight).split()
    assert summary == compacted["replacementMessages"][0]["messageId"]
    assert len(kept) == 3
    paid = (server.folder / "paid").read_text().split("\n")
    assert paid.count(f"{ids[0]} {ids[-1]}") == 1
    check_log(await client.log(session))


async def test_a_soft_summary_holds_for_the_runs_behind_it_until_there_is_too_much_again(client: Client) -> None:
    session = await client.session()
    await filled(client, session, 7)

    told = [compactions(await ran(client, session, "soft")) for _ in range(3)]

    assert [[event["status"] for event in events] for events in told] == [
        ["started", "performed"],
        ["cache_hit"],
        ["started", "performed"],
    ]
    assert "cacheAge" in told[1][0]
    # The first summary is a part of the second.
    assert told[2][1]["summaryContent"].endswith(told[0][1]["summaryContent"])
    assert (await view(client, session))["messageCount"] == 8 + 6
    check_log(await client.log(session))


async def test_a_window_leaves_out_what_is_too_much_to_read_and_nobody_summarises(client: Client) -> None:
    session = await client.session()
    ids = await filled(client, session, 7, width=40)

    events = await ran(client, session, "sparing")

    performed = compactions(events)[-1]
    assert (performed["status"], performed["strategy"]) == ("performed", "window")
    assert "summaryContent" not in performed
    assert answer_of(events).split()[:-1] == ids[-2:]


async def test_skip_compaction_wins_over_policy_and_trigger(client: Client) -> None:
    session = await client.session()
    ids = await filled(client, session, 9)

    config = {"skipCompaction": True, "triggerCompaction": True, "compaction": {"mode": "forced"}}
    skipped = await ran(client, session, "hard", runConfig=config)
    off = await ran(client, session, "hard", runConfig={"compaction": {"mode": "off"}})

    assert (compactions(skipped), compactions(off)) == ([], [])
    assert answer_of(off).split()[: len(ids)] == ids


@pytest.mark.parametrize(
    "config",
    [
        {"triggerCompaction": True, "compaction": {"keepMessages": 4, "retention": "hard"}},
        {"compaction": {"mode": "Forced", "keepMessages": 4, "retention": "Hard"}},
        {"compaction": {"trigger": {"messages": 7}, "keepMessages": 4, "retention": "hard"}},
        {"compaction": {"trigger": {"tokens": 20}, "keepMessages": 4, "retention": "hard"}},
    ],
)
async def test_an_input_can_have_any_history_compacted(client: Client, config: dict[str, object]) -> None:
    session = await client.session()
    ids = await filled(client, session, 7)

    events = await ran(client, session, "demo", text="/history", runConfig=config)

    (compacted,) = (event for event in events if event["type"] == "BRANCH_HISTORY_COMPACTED")
    assert compacted["durableCompactedMessageIds"] == ids[:4]
    summary = compacted["replacementMessages"][0]["messageId"]
    assert answer_of(events).split(": ")[1].split()[:-1] == [summary, *ids[4:]]


async def test_what_cannot_be_done_is_refused_before_the_run(client: Client) -> None:
    session = await client.session()
    cases = [
        ({"compaction": {"modelContext": 1}}, "run-config-refused"),
        ({"compaction": {"behavior": "stop"}}, "run-config-refused"),
        ({"compaction": {"mode": "maybe"}}, "invalid-input"),
        ({"compaction": {"trigger": {"messages": 2}}}, "invalid-input"),
        ({"compaction": {"trigger": {"messages": 10}, "keepMessages": 9}}, "invalid-input"),
        ({"compaction": {"keepMessages": 1_000_000}}, "invalid-input"),
        ({"triggerCompaction": 1}, "invalid-input"),
        ({"triggerCompaction": True}, "run-config-refused"),
        ({"compaction": {"trigger": {"messages": 10}}}, "run-config-refused"),
    ]

    answers = [await post(client, session, "plain", {"text": "Hi", "runConfig": config}) for config, _ in cases]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, code) for _, code in cases]
    window = {"triggerCompaction": True, "compaction": {"strategy": "window", "keepMessages": 1}}
    assert compactions(await ran(client, session, "plain", runConfig=window))[-1]["reason"] == "insufficient_history"


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("failing", "There is no ink left."),
        ("leaking", "The summary could not be made."),
        ("silent", "summary_empty"),
        ("textless", "The summary could not be made."),
        ("unsendable", "The summary could not be made."),
        ("cancelled", "The summary could not be made."),
    ],
)
async def test_a_summary_that_cannot_be_made_is_told_and_the_run_goes_on(
    client: Client, agent: str, reason: str
) -> None:
    session = await client.session()
    ids = await filled(client, session, 7)

    events = await ran(client, session, agent)

    assert [(event["status"], event.get("reason")) for event in compactions(events)] == [
        ("started", None),
        ("skipped", reason),
    ]
    assert answer_of(events).split()[:-1] == ids
    assert "hunter2" not in await client.log_text(session)


async def test_an_agent_can_compact_within_its_run(client: Client) -> None:
    session = await client.session()
    ids = await filled(client, session, 7)

    first, second, third = answer_of(await ran(client, session, "asking")).split(" | ")

    assert first.split()[:-1] == ids
    assert second.split()[1:-1] == ids[-4:]
    assert third.split()[1:-1] == ids[-2:]


async def test_the_copy_that_a_fork_is_is_compacted_before_it_is_written(client: Client) -> None:
    session = await client.session()
    ids = await filled(client, session, 7)
    client.agent = "forking"

    compacted = await fork(client, session, ids[5])

    log = await client.log(session, compacted["id"])
    check_log(log)
    begun = [event["messageId"] for event in log if event["type"] == "MESSAGE_STARTED"]
    assert [event["type"] for event in log[:2]] == ["BRANCH_CREATED", "BRANCH_FORKED"]
    assert "BRANCH_HISTORY_COMPACTED" not in [event["type"] for event in log]
    assert begun[1:] == ids[4:6]
    assert begun[0].startswith("sum_")
    assert (compacted["messageCount"], compacted["forkedAtMessageIndex"], log[1]["resolvedMessageIndex"]) == (3, 2, 2)
    assert compacted["forkedAtMessageId"] == ids[5]
    assert (await view(client, session))["messageCount"] == 8
    again = await fork(client, session, begun[2], of=compacted["id"])
    assert again["messageCount"] == 3
    check_log(await client.log(session, again["id"]))

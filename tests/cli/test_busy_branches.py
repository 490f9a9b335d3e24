"""`branchline send` to a branch that is busy."""

from tests.cli.elsewhere import Elsewhere
from tests.cli.sending import Sending, send
from tests.harness.client import Client
from tests.harness.process import ServerProcess


def busy(server: ServerProcess, session: str) -> Elsewhere:
    """Let a run wait on the branch for an answer."""
    send("hello", "--session", session, url=server.url)
    other = Elsewhere(server.url, session)
    other.start("/permission")
    return other


def test_a_busy_branch_is_told_with_what_can_be_done(shared_server: ServerProcess, session: str) -> None:
    busy(shared_server, session)

    sent = send("hi", "--session", session, url=shared_server.url)

    assert sent.status == 1
    assert sent.errors.endswith("(branch-run-active) --queue waits for it, --interrupt ends it.\n")


def test_an_input_that_is_queued_says_what_it_waits_for_and_then_shows_its_own_run(
    shared_server: ServerProcess, session: str
) -> None:
    other = busy(shared_server, session)
    with Sending("first", "--session", session, "--queue", url=shared_server.url) as first:
        first.read_errors_until("Waiting behind 1 run.")
        with Sending("second", "--session", session, "--queue", url=shared_server.url) as second:
            second.read_errors_until("Waiting behind 2 runs.")

            other.answer(approved=True)
            ended, sent = first.end(), second.end()

    assert (ended.status, sent.status) == (0, 0)
    assert ended.out == "You said: first — try /help for more.\n"
    assert ended.errors == "Waiting behind 1 run.\n"
    assert sent.out == "You said: second — try /help for more.\n"
    assert sent.errors == "Waiting behind 2 runs.\nWaiting behind 1 run.\n"


def test_an_input_that_interrupts_ends_the_active_run_and_goes_first(
    shared_server: ServerProcess, session: str
) -> None:
    other = busy(shared_server, session)
    with Sending("later", "--session", session, "--queue", url=shared_server.url) as later:
        later.read_errors_until("Waiting behind 1 run.")

        sent = send("now", "--session", session, "--interrupt", url=shared_server.url)
        later.end()

    said = [event["content"]["text"] for event in other.log() if event["type"] == "CONTENT_ADDED"]
    assert sent.status == 0
    assert sent.out == "You said: now — try /help for more.\n"
    assert sent.errors == "Waiting for the active run, which was interrupted, to end.\n"
    assert said == ["hello", "/permission", "now", "later"]


async def test_json_of_an_input_that_waited_begins_with_its_places_in_the_queue(
    shared_server: ServerProcess, session: str
) -> None:
    other = busy(shared_server, session)
    with Sending("hi", "--session", session, "--queue", "--json", url=shared_server.url) as sending:
        sending.read_until("BRANCH_QUEUE_UPDATED")

        other.answer(approved=True)
        sent = sending.end()

    async with Client(shared_server.url) as client:
        log = await client.log_lines(session)
    queued, dequeued, started, *_ = sent.out.splitlines()
    assert '"action":"enqueued"' in queued
    assert '"action":"dequeued"' in dequeued
    assert '"type":"BRANCH_RUN_STARTED"' in started
    assert sent.out.splitlines()[1:] == log[log.index(dequeued) :]


def test_waiting_and_interrupting_exclude_each_other(shared_server: ServerProcess) -> None:
    sent = send("hi", "--queue", "--interrupt", url=shared_server.url)

    assert sent.status == 2
    assert "--queue and --interrupt exclude each other." in sent.errors

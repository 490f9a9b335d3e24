"""`branchline send` against a real server."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from tests.cli.sending import Sending, send
from tests.harness.client import Client
from tests.harness.process import ServerProcess


def told_session(errors: str) -> str:
    """Return the session that the command told of."""
    told = re.search(r"--session (ses_[0-9a-f]{32})", errors)
    assert told is not None, errors
    return told[1]


def tokens(count: int) -> str:
    """Return what `/tokens` says."""
    return "".join(f"tok{index} " for index in range(count))


def test_the_answer_is_all_that_standard_output_gets(sqlite_server: ServerProcess) -> None:
    sent = send("/tokens 5", url=sqlite_server.url)

    assert sent.status == 0
    assert sent.out == tokens(5) + "\n"


def test_a_new_session_is_told_and_can_be_gone_on_with(sqlite_server: ServerProcess) -> None:
    first = send("hello", url=sqlite_server.url)
    session = told_session(first.errors)

    second = send("/history", "--session", session, url=sqlite_server.url)

    assert second.out.startswith("I was given 3 messages: ")
    assert second.errors == ""


def test_a_missing_session_and_branch_are_made_and_found_again(sqlite_server: ServerProcess) -> None:
    place = ("--session", "mine", "--branch", "side")

    statuses = [send("hello", *place, url=sqlite_server.url).status for _ in range(2)]
    again = send("/history", *place, url=sqlite_server.url)

    assert statuses == [0, 0]
    assert again.out.startswith("I was given 5 messages: ")


async def test_json_is_the_log_of_the_run_byte_for_byte(sqlite_client: Client) -> None:
    before = send("hello", "--session", "s1", url=sqlite_client.base)

    sent = send("/reason", "--session", "s1", "--json", url=sqlite_client.base)

    log = await sqlite_client.log_lines("s1")
    begins = [index for index, line in enumerate(log) if '"type":"BRANCH_RUN_STARTED"' in line]
    assert before.status == sent.status == 0
    assert sent.out.splitlines() == log[begins[1] :]
    assert sent.errors == ""


def test_reasoning_stays_out_of_standard_output(sqlite_server: ServerProcess) -> None:
    sent = send("/reason", "--session", "s1", url=sqlite_server.url)

    assert sent.out == "I have thought about it, and this is what I say.\n"
    assert sent.errors == "The user wants to see me think, so I think about what to say.\n"


def test_a_failed_run_is_one_sentence_and_status_1(sqlite_server: ServerProcess) -> None:
    sent = send("/fail", "--session", "s1", url=sqlite_server.url)

    assert sent.status == 1
    assert sent.out == "Here it comes:\n"
    assert sent.errors == (
        "branchline send: The run failed: You asked the demo agent to fail, and it did. (DemoFailure)\n"
    )


def test_json_of_a_failed_run_ends_with_its_end_and_status_1(sqlite_server: ServerProcess) -> None:
    sent = send("/fail", "--json", url=sqlite_server.url)

    assert sent.status == 1
    assert '"type":"BRANCH_RUN_COMPLETED"' in sent.out.splitlines()[-1]
    assert '"status":"failed"' in sent.out.splitlines()[-1]


REFUSED = {
    ("hi", "--agent", "nobody"): "There is no agent 'nobody' on this server. (agent-not-found)",
    ("hi", "--session", "a/b"): "`sessionId` must be 1 to 128 of",
    ("hi", "--branch", "a b"): "`branchId` must be 1 to 128 of",
    ("",): "There is no text to send.",
    ("hi", "--url", "localhost:8000"): "'localhost:8000' is no address of a server",
}


def test_what_cannot_be_sent_is_one_sentence_and_status_1(sqlite_server: ServerProcess) -> None:
    for arguments, sentence in REFUSED.items():
        sent = send(*arguments, BRANCHLINE_URL=sqlite_server.url)

        assert (sent.status, sent.out) == (1, ""), arguments
        assert sent.errors.startswith(f"branchline send: {sentence}")
        assert sent.errors.count("\n") == 1


def test_without_a_server_it_says_how_to_start_one(port: int) -> None:
    url = f"http://127.0.0.1:{port}"

    sent = send("hi", url=url)

    assert sent.status == 1
    assert sent.errors.startswith(f"branchline send: No server answers at {url} (")
    assert "`branchline serve`" in sent.errors
    assert sent.errors.count("\n") == 1


def test_a_busy_branch_is_told(sqlite_server: ServerProcess) -> None:
    with Sending("/tokens 2000 50", "--session", "s1", url=sqlite_server.url) as busy:
        busy.read_until("tok0 ")

        sent = send("hi", "--session", "s1", url=sqlite_server.url)

    assert sent.status == 1
    assert "(branch-run-active)" in sent.errors


def test_standard_input_is_sent_for_a_dash(sqlite_server: ServerProcess) -> None:
    sent = send("-", url=sqlite_server.url, given="grüße\naus der Röhre\n".encode())

    assert sent.status == 0
    assert sent.out == "You said: grüße\naus der Röhre — try /help for more.\n"


async def test_files_are_sent_along_by_their_kind(sqlite_client: Client, tmp_path: Path) -> None:
    for name, data in (("a.png", b"\x89PNG"), ("b.unheard-of", b"\x00\x01")):
        (tmp_path / name).write_bytes(data)
    files = ("--file", str(tmp_path / "a.png"), "--file", str(tmp_path / "b.unheard-of"))

    sent = await asyncio.to_thread(send, "What?", *files, "--session", "s1", url=sqlite_client.base)

    log = await sqlite_client.log("s1")
    assert (sent.status, sent.out) == (0, "You said: What? — try /help for more.\n")
    assert [event["content"] for event in log if event["type"] == "CONTENT_ADDED"] == [
        {"$type": "text", "text": "What?"},
        {"$type": "data", "uri": "data:image/png;base64,iVBORw==", "mediaType": "image/png"},
        {"$type": "data", "uri": "data:application/octet-stream;base64,AAE=", "mediaType": "application/octet-stream"},
    ]


def test_files_that_no_message_can_hold_are_not_even_read(tmp_path: Path) -> None:
    with (tmp_path / "large.bin").open("wb") as large:
        large.truncate((12 << 20) + 1)

    sent = send("What?", "--file", str(tmp_path / "large.bin"))

    assert sent.status == 2
    assert "--file takes 12 MiB in all." in sent.errors


def test_standard_input_that_is_no_text_is_refused(sqlite_server: ServerProcess) -> None:
    sent = send("-", url=sqlite_server.url, given=b"\xff\xfe")

    assert (sent.status, sent.errors) == (1, "branchline send: The text is not valid UTF-8.\n")


def test_an_answer_cut_by_kill_9_begins_again_on_a_line_of_its_own(
    make_server: Callable[..., ServerProcess], database_url: str, port: int
) -> None:
    server = make_server(database_url, port=port).start()
    with Sending("/tokens 300 10", "--session", "s1", url=server.url) as sending:
        sending.read_until("tok20 ")

        server.kill()
        make_server(database_url, port=port).start()
        sent = sending.end()

    *cuts, whole, end = sent.out.split("\n")
    assert sent.status == 0
    # What was stored and not yet sent when the server died comes on a line of its own, before the answer begins again.
    tries = ["tok0 " + said for said in "".join(cuts).split("tok0 ")[1:]]
    assert tries
    assert "".join(tries) == "".join(cuts)
    assert all(tokens(300).startswith(said) and said != tokens(300) for said in tries)
    assert whole == tokens(300)
    assert end == ""
    connection, *again = sent.errors.splitlines()
    assert connection.startswith("The connection was cut (")
    # Once, unless the machine is so busy that the new server loses its lease, too.
    why = "The server stopped while the model was answering; the answer begins again"
    assert again == [f"{why} ({place} of 3)." for place in range(2, 2 + len(tries))]


async def test_json_of_an_answer_cut_by_kill_9_has_every_event_once(
    make_server: Callable[..., ServerProcess], sqlite_url: str, port: int
) -> None:
    server = make_server(sqlite_url, port=port).start()
    with Sending("/tokens 300 10", "--session", "s1", "--json", url=server.url) as sending:
        sending.read_until('"text":"tok20 "')

        server.kill()
        make_server(sqlite_url, port=port).start()
        sent = sending.end()

    async with Client(server.url) as client:
        log = await client.log_lines("s1")
    assert sent.status == 0
    assert sent.out.splitlines() == log[1:]


def test_an_answer_goes_on_when_the_server_is_replaced_in_good_order(
    make_server: Callable[..., ServerProcess], sqlite_url: str, port: int
) -> None:
    server = make_server(sqlite_url, port=port).start()
    with Sending("/tokens 300 10", "--session", "s1", url=server.url) as sending:
        sending.read_until("tok20 ")

        left = server.terminate()
        make_server(sqlite_url, port=port).start()
        sent = sending.end()

    assert left == 0
    assert sent.status == 0
    # The old server ends the run within its grace, and the new one tells the rest of it.
    assert sent.out.replace("\n", "") == tokens(300)
    assert sent.errors == "The connection was cut (the server ended the stream); trying again.\n"


def test_a_reader_who_leaves_the_pipe_gets_no_traceback(sqlite_server: ServerProcess) -> None:
    with Sending("/tokens 200 5", "--session", "s1", url=sqlite_server.url) as sending:
        sending.read_until("tok3 ")

        left = sending.leave()

    assert (left.status, left.errors) == (1, "")


def test_a_server_starts_where_the_address_for_clients_is_set(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, url="http://127.0.0.1:1").start()

    assert send("hello", url=server.url).status == 0

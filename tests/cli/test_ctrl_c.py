"""Ctrl-C while a run goes on."""

import asyncio
import signal
import socket
from collections.abc import Callable

from tests.cli.elsewhere import Elsewhere
from tests.cli.peer import Peer, answer
from tests.cli.sending import Sending
from tests.cli.terminal import CTRL_C, Terminal
from tests.edge.deadline import seconds_until
from tests.harness.process import ServerProcess

ALLOW = "[y]es, [n]o, [a]lways, ne[v]er: "
IN = ("--session", "s1")
INTERRUPTING = "Interrupting the run; Ctrl-C again leaves at once.\n"
CANCELLED = "The run was cancelled: Ctrl-C in `branchline send`.\n"


def test_ctrl_c_ends_the_run_at_the_server_and_shows_how(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/slow 400", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until("tok3 ")

        terminal.type(CTRL_C)
        status = terminal.end()

    last = Elsewhere(shared_server.url, session).log()[-1]
    assert status == 130
    assert f"^C\n{INTERRUPTING}" in terminal.screen
    assert terminal.screen.endswith(f"\n{CANCELLED}")
    assert (last["type"], last["status"], last["reason"]) == (
        "BRANCH_RUN_COMPLETED",
        "cancelled",
        "Ctrl-C in `branchline send`.",
    )


def test_ctrl_c_at_a_question_ends_the_run_that_asks(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/parallel", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)
        terminal.type("y")
        terminal.read_until("y")

        terminal.type(CTRL_C)
        status = terminal.end()

    other = Elsewhere(shared_server.url, session)
    assert status == 130
    assert terminal.screen.count("Allow ") == 1
    assert f"ne[v]er: y^C\n{INTERRUPTING}" in terminal.screen
    assert terminal.screen.endswith(CANCELLED)
    assert other.types().count("AGENT_REQUEST_CANCELLED") == 3
    assert list(other.statuses().values()) == ["cancelled"]


def test_ctrl_c_reaches_nested_work(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/subagent 2", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        terminal.type(CTRL_C)
        status = terminal.end()

    assert status == 130
    assert list(Elsewhere(shared_server.url, session).statuses().values()) == ["cancelled"]


def test_ctrl_c_reaches_the_command_in_a_pipe_too(shared_server: ServerProcess, session: str) -> None:
    with Sending("/slow 400", "--session", session, url=shared_server.url) as sending:
        sending.read_until("tok3 ")

        sending.interrupt()
        sent = sending.end()

    assert sent.status == 130
    assert sent.errors == INTERRUPTING + CANCELLED


def test_json_of_an_interrupted_run_ends_with_its_end(shared_server: ServerProcess, session: str) -> None:
    with Sending("/slow 400", "--session", session, "--json", url=shared_server.url) as sending:
        sending.read_until('"text":"tok3 "')

        sending.interrupt()
        sent = sending.end()

    assert sent.status == 130
    assert '"type":"BRANCH_RUN_COMPLETED"' in sent.out.splitlines()[-1]
    assert '"cancelled":true' in sent.out.splitlines()[-1]


def test_a_second_ctrl_c_leaves_at_once_whatever_the_server_does(sqlite_server: ServerProcess) -> None:
    with Terminal("/slow 400", *IN, url=sqlite_server.url) as terminal:
        terminal.read_until("tok3 ")
        sqlite_server.signal(signal.SIGSTOP)
        try:
            terminal.type(CTRL_C)
            terminal.read_until("Interrupting")

            terminal.type(CTRL_C)
            status = terminal.end()
        finally:
            sqlite_server.signal(signal.SIGCONT)

    assert status == 130
    assert terminal.screen.endswith("Left; whether the run ends is not known.\n")


def test_an_input_that_waits_is_taken_out_of_the_queue_and_nobody_elses_run_ends(
    shared_server: ServerProcess, session: str
) -> None:
    other = Elsewhere(shared_server.url, session)
    with Terminal("hello", "--session", session, url=shared_server.url) as terminal:
        terminal.end()
    active = other.start("/permission")
    with Terminal("/slow 400", "--session", session, "--queue", url=shared_server.url) as terminal:
        terminal.read_until("Waiting behind 1 run.")

        terminal.type(CTRL_C)
        status = terminal.end()

    statuses = other.statuses()
    assert status == 130
    assert terminal.screen.endswith("The run was cancelled: Removed from the queue.\n")
    assert statuses.pop(active) == "active"
    assert sorted(statuses.values()) == ["cancelled", "completed"]


def test_an_interrupt_gets_through_to_the_server_that_comes_after_a_kill_9(
    make_server: Callable[..., ServerProcess], sqlite_url: str, port: int
) -> None:
    server = make_server(sqlite_url, port=port).start()
    with Terminal("/permission", *IN, url=server.url) as terminal:
        terminal.read_until(ALLOW)
        server.kill()

        terminal.type(CTRL_C)
        terminal.read_until("The interrupt did not get through (")
        make_server(sqlite_url, port=port).start()
        status = terminal.end()

    assert status == 130
    assert terminal.screen.endswith(CANCELLED)


async def test_ctrl_c_while_the_input_is_on_its_way_claims_nothing() -> None:
    there = answer("409 Conflict", b'{"code":"session-exists","detail":"There."}', "application/problem+json")
    async with Peer(there, b"", hold_last=True) as peer:

        async def is_sent() -> bool:
            return any("/inputs" in head for head in peer.requests)

        with Terminal("hello", *IN, url=peer.url) as terminal:
            await seconds_until(is_sent, within=20)
            terminal.type(CTRL_C)
            status = await asyncio.to_thread(terminal.end)

    assert status == 130
    assert terminal.screen.endswith("Left; whether it was accepted is not known, see --session s1.\n")


def test_what_somebody_else_says_commands_no_terminal(shared_server: ServerProcess, session: str) -> None:
    with Sending("/slow 400", "--session", session, url=shared_server.url) as sending:
        sending.read_until("tok3 ")
        Elsewhere(shared_server.url, session).interrupt(reason="\x1b]0;mine\x07\x1b[2Jenough")
        sent = sending.end()

    assert sent.status == 1
    assert sent.errors == "branchline send: The run was cancelled: ]0;mine[2Jenough\n"


def test_ctrl_c_before_the_input_is_accepted_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Terminal("hello", *IN, url=url) as terminal:
            silent.settimeout(30)
            connection, _ = silent.accept()
            with connection:
                terminal.type(CTRL_C)
                status = terminal.end()

    assert status == 130
    assert terminal.screen == "Stopped before it was accepted.\n"

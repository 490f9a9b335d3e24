"""Questions at a terminal that somebody or something else settles."""

import time
from collections.abc import Callable

from tests.cli.elsewhere import Elsewhere
from tests.cli.terminal import CTRL_D, Terminal
from tests.harness.process import ServerProcess

ALLOW = "[y]es, [n]o, [a]lways, ne[v]er: "
IN = ("--session", "s1")


def test_an_answer_given_elsewhere_ends_the_prompt(shared_server: ServerProcess, session: str) -> None:
    other = Elsewhere(shared_server.url, session)
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        other.answer(approved=True, choice="allow_always")
        status = terminal.end()

    assert status == 0
    assert terminal.screen.endswith(
        "ne[v]er: \nAllowed elsewhere, for good.\n<- notes.txt was deleted.\ndelete_file: notes.txt was deleted.\n"
    )


def test_half_a_line_is_not_the_beginning_of_the_next_answer(shared_server: ServerProcess, session: str) -> None:
    other = Elsewhere(shared_server.url, session)
    with Terminal("/parallel", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)
        terminal.type("y")
        terminal.read_until("y")
        other.answer(approved=False)
        terminal.read_until("Denied elsewhere.")
        terminal.read_until(ALLOW)

        terminal.type("\n")
        terminal.read_until("Say y, n, a or v;")
        for _ in range(2):
            terminal.read_until(ALLOW)
            terminal.type("n\n")
        terminal.end()

    assert terminal.screen.count("denied: The user denied this call.") == 3


def test_a_question_that_expires_ends_the_prompt_and_the_run_goes_on(
    shared_server: ServerProcess, session: str
) -> None:
    with Terminal("/hasty 1", "--agent", "curious", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until("Quick?\n> ")

        terminal.type("wai")
        status = terminal.end()

    assert status == 0
    assert terminal.screen == (
        "Quick?\n> wai\nNobody answered in time; the run goes on without an answer.\nToo slow.\n"
    )


def test_an_interrupt_from_elsewhere_ends_the_prompt_and_the_run(shared_server: ServerProcess, session: str) -> None:
    other = Elsewhere(shared_server.url, session)
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        other.interrupt(reason="Enough!")
        status = terminal.end()

    assert status == 1
    assert terminal.screen.endswith(
        "ne[v]er: \nNot asked any more (Enough!).\n<- interrupted\nbranchline send: The run was cancelled: Enough!\n"
    )


def test_an_interrupt_of_nested_work_is_told_where_it_happened(shared_server: ServerProcess, session: str) -> None:
    other = Elsewhere(shared_server.url, session)
    with Terminal("/subagent", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        other.interrupt(reason="Not this.", eventFlowId=other.open()[0]["request"]["eventFlowId"])
        status = terminal.end()

    lines = terminal.screen.splitlines()
    assert status == 0
    assert "  Demo was interrupted: Not this." in lines
    assert "  Demo <- interrupted" in lines


def test_at_the_end_of_input_the_question_is_left_open_and_told(shared_server: ServerProcess, session: str) -> None:
    other = Elsewhere(shared_server.url, session)
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        terminal.type(CTRL_D)
        terminal.read_until("Allow it: curl ")
        terminal.read_until("It waits until ")
        other.answer(approved=True)
        status = terminal.end()

    assert status == 0
    assert "\nAllowed elsewhere.\n<- notes.txt was deleted.\n" in terminal.screen


def test_an_answer_reaches_the_server_that_comes_after_a_kill_9(
    make_server: Callable[..., ServerProcess], database_url: str, port: int
) -> None:
    server = make_server(database_url, lease_seconds=3, port=port).start()
    with Terminal("/permission", *IN, url=server.url) as terminal:
        terminal.read_until(ALLOW)
        server.kill()

        terminal.type("y\n")
        terminal.read_until("The answer did not get through; trying again.")
        make_server(database_url, lease_seconds=3, port=port).start()
        status = terminal.end()

    types = Elsewhere(server.url).types()
    assert status == 0
    assert terminal.screen.endswith("<- notes.txt was deleted.\ndelete_file: notes.txt was deleted.\n")
    assert types.count("PERMISSION_REQUEST") == types.count("PERMISSION_RESPONSE") == 1


def test_what_happens_beside_a_question_is_shown_behind_its_answer(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/chatty 20", "--agent", "curious", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until("Are you there?\n> ")
        other = Elsewhere(shared_server.url, session, agent="curious")
        _wait_until(lambda: len(other.open()) == 2)
        other.answer(1, answer="yes")
        _wait_until(lambda: "TOOL_CALL_END" in other.types())

        terminal.type("yes\n")
        status = terminal.end()

    assert status == 0
    assert terminal.screen.index("> yes\n") < terminal.screen.index("  Demo: tok0 ")


def test_when_too_much_happens_beside_a_question_it_is_shown_and_asked_again(
    shared_server: ServerProcess, session: str
) -> None:
    with Terminal("/chatty 12000", "--agent", "curious", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until("Are you there?\n> ")
        terminal.type("no")
        other = Elsewhere(shared_server.url, session, agent="curious")
        _wait_until(lambda: len(other.open()) == 2)
        other.answer(1, answer="yes")
        terminal.read_until("tok9000 ")
        terminal.read_until("Are you there?\n> ")

        terminal.type("yes\n")
        status = terminal.end()

    assert status == 0
    assert "<- ask: yes\n" in terminal.screen


def _wait_until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not there():
        assert time.monotonic() < deadline

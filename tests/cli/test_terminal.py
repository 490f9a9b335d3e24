"""How the answer looks to a person who sends from a terminal."""

from tests.cli.terminal import Terminal
from tests.harness.process import ServerProcess

_DIM = "\x1b[2m"
_PLAIN = "\x1b[0m"
ALLOW = "[y]es, [n]o, [a]lways, ne[v]er: "


def test_reasoning_is_dimmed_and_the_answer_is_not(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/reason", "--session", session, url=shared_server.url) as terminal:
        status = terminal.end()

    assert status == 0
    reasoning, answer, end = terminal.raw.split("\n")
    assert reasoning.replace(_DIM, "").replace(_PLAIN, "") == (
        "The user wants to see me think, so I think about what to say."
    )
    assert reasoning.startswith(_DIM)
    assert answer == "I have thought about it, and this is what I say."
    assert end == ""


def test_an_answer_cannot_command_the_terminal(shared_server: ServerProcess, session: str) -> None:
    with Terminal("a\x1b]0;title\x07b\x9b31m\rc", "--session", session, url=shared_server.url) as terminal:
        status = terminal.end()

    assert status == 0
    assert terminal.raw == "You said: a]0;titleb31mc — try /help for more.\n"


def test_a_refusal_is_one_line_that_stands_out() -> None:
    with Terminal("hi", url="nowhere") as terminal:
        status = terminal.end()

    assert status == 1
    assert terminal.raw.startswith("\x1b[1;31mbranchline send: 'nowhere' is no address of a server")
    assert terminal.raw.endswith(f"{_PLAIN}\n")


def test_calls_are_dim_questions_bold_and_denials_yellow(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        terminal.type("n\n")
        terminal.end()

    assert terminal.raw.splitlines()[1:5] == [
        '\x1b[2m-> delete_file(path="notes.txt")\x1b[0m',
        '\x1b[1mAllow delete_file(path="notes.txt")? Delete a file for good.\x1b[0m',
        f"{ALLOW}n",
        "\x1b[33m<- denied: The user denied this call.\x1b[0m",
    ]


def test_there_are_no_colours_where_none_are_wanted(shared_server: ServerProcess, session: str) -> None:
    coloured = []
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with Terminal("/permission", "--session", session, url=shared_server.url, **environment) as terminal:
            terminal.read_until(ALLOW)
            terminal.type("n\n")
            terminal.end()
        coloured.append([code for code in ("\x1b[3", "\x1b[1;3", "\x1b[2;3") if code in terminal.raw])

    assert coloured == [[], []]
    assert "\x1b" not in terminal.raw


def test_calls_fit_the_width_of_the_terminal(shared_server: ServerProcess, session: str) -> None:
    with Terminal(
        "/tool Rome on the Tiber in the middle of Italy", "--session", session, url=shared_server.url, columns=40
    ) as terminal:
        terminal.end()

    assert terminal.screen.splitlines()[1:3] == [
        '-> get_weather(city="Rome on the Tibe...',
        '<- {"city":"Rome on the Tiber in the ...',
    ]


def test_a_text_can_be_typed_before_its_run_asks(shared_server: ServerProcess, session: str) -> None:
    with Terminal("-", "--session", session, url=shared_server.url) as terminal:
        terminal.type("/permission\n\x04")
        terminal.read_until(ALLOW)

        terminal.type("y\n")
        status = terminal.end()

    assert status == 0
    assert "<- notes.txt was deleted." in terminal.screen

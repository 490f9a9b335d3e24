"""What a person sees who sends from a terminal."""

import os
import pty
import subprocess
import sys

from tests.harness.process import ServerProcess

_DIM = "\x1b[2m"
_PLAIN = "\x1b[0m"


def seen(*arguments: str) -> tuple[int, str]:
    """Run `branchline send` on a terminal of its own; return its exit status and what the terminal got."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    for name in ("NO_COLOR", "BRANCHLINE_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "hosting", "send", *arguments]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    screen = b""
    try:
        while piece := os.read(master, 65_536):
            screen += piece
    except OSError:
        # How Linux says that the last process has left the terminal.
        pass
    finally:
        os.close(master)
    return process.wait(30), screen.decode().replace("\r\n", "\n")


def test_reasoning_is_dimmed_and_the_answer_is_not(sqlite_server: ServerProcess) -> None:
    status, screen = seen("/reason", "--session", "s1", "--url", sqlite_server.url)

    assert status == 0
    reasoning, answer, end = screen.split("\n")
    assert reasoning.replace(_DIM, "").replace(_PLAIN, "") == (
        "The user wants to see me think, so I think about what to say."
    )
    assert reasoning.startswith(_DIM)
    assert answer == "I have thought about it, and this is what I say."
    assert end == ""


def test_an_answer_cannot_command_the_terminal(sqlite_server: ServerProcess) -> None:
    status, screen = seen("a\x1b]0;title\x07b\x9b31m\rc", "--session", "s1", "--url", sqlite_server.url)

    assert status == 0
    assert screen == "You said: a]0;titleb31mc — try /help for more.\n"


def test_a_refusal_is_one_line_that_stands_out() -> None:
    status, screen = seen("hi", "--url", "nowhere")

    assert status == 1
    assert screen.startswith("\x1b[1;31mbranchline send: 'nowhere' is no address of a server")
    assert screen.endswith(f"{_PLAIN}\n")

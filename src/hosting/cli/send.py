"""`branchline send`."""

import asyncio
import sys
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn

import rich_click as click
from rich.console import Console

from events.ids import MAIN_BRANCH, AgentId, BranchId, SessionId
from events.inputs import UserTextInput
from events.runs import BranchRunCompleted, RunStatus
from hosting.cli.transcript import Lines, Transcript, View
from hosting.client import (
    BranchAddress,
    Client,
    ClientError,
    FeedLost,
    Patience,
    ServerUnreachable,
)

_PATIENCE: Final = Patience(
    connect=timedelta(seconds=5), answer=timedelta(seconds=30), silence=timedelta(seconds=30), attempts=30
)
_STOPPED: Final = 130


@dataclass(slots=True)
class Errand:
    """What is to be sent and to whom, and how far it came: `at` is known when the branch is there."""

    text: str
    agent: AgentId
    session: SessionId | None
    branch: BranchId
    url: str
    at: BranchAddress | None = None
    accepted: bool = False
    cut: bool = False


@click.command()
@click.argument("text")
@click.option("--agent", default="demo", show_default=True, help="Who is to answer.")
@click.option("--session", help="The session to go on with; without it a new one is made, and its id told.")
@click.option("--branch", default=MAIN_BRANCH, show_default=True, help="The branch of the session.")
@click.option(
    "--url", envvar="BRANCHLINE_URL", default="http://127.0.0.1:8000", show_default=True, help="Where the server is."
)
@click.option("--json", "as_json", is_flag=True, help="Print the run's events instead, one JSON object a line.")
def send(text: str, agent: str, session: str | None, branch: str, url: str, *, as_json: bool) -> None:
    """Send TEXT to an agent and print its answer as it comes; `-` reads the text from standard input.

    The session and the branch are made when they are not there.
    The answer goes to standard output, everything else to standard error.
    The exit status is 0 when the run has completed, 1 when it has not or nobody answers, and 130 after Ctrl-C.
    """
    answer, aside = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
    view: View = Lines(answer, aside) if as_json else Transcript(answer, aside)
    errand = Errand(text, AgentId(agent), SessionId(session) if session else None, BranchId(branch), url)
    try:
        if text == "-":
            errand.text = _read_input(aside)
        _check_text(errand.text, aside)
        ended = asyncio.run(_run(errand, view))
    except KeyboardInterrupt:
        view.note("Stopped; the run goes on at the server." if errand.accepted else "Stopped before it was accepted.")
        sys.exit(_STOPPED)
    except ClientError as error:
        view.end()
        _refuse(aside, _advice(error, errand))
    if ended.status is not RunStatus.COMPLETED:
        _refuse(aside, _outcome(ended))


async def _run(errand: Errand, view: View) -> BranchRunCompleted:
    def tell_cut(cause: str) -> None:
        if not errand.cut:
            view.note(f"The connection was cut ({cause}); trying again.")
        errand.cut = True

    async with Client(errand.url, patience=_PATIENCE) as client:
        session = await client.ensure_session(errand.session)
        at = errand.at = BranchAddress(errand.agent, session, errand.branch)
        await client.ensure_branch(at)
        accepted = await client.submit(at, UserTextInput(text=errand.text))
        errand.accepted = True
        if errand.session is None:
            view.note(f"New session; go on with --session {session}")
        async with aclosing(client.follow_run(at, accepted, on_cut=tell_cut)) as events:
            async for received in events:
                errand.cut = False
                view.show(received)
                if isinstance(received.event, BranchRunCompleted):
                    view.end()
                    return received.event
    raise AssertionError("a run is followed to its end")


def _read_input(aside: Console) -> str:
    """Read standard input to its end, without the line end that `echo` adds."""
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        _refuse(aside, "The text is not valid UTF-8.")


def _check_text(text: str, aside: Console) -> None:
    if not text:
        _refuse(aside, "There is no text to send.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        # How Python passes on bytes of the command line that are no UTF-8.
        _refuse(aside, "The text is not valid UTF-8.")


def _advice(error: ClientError, errand: Errand) -> str:
    if isinstance(error, ServerUnreachable):
        return f"{error} Start one with `branchline serve`, or name another with --url."
    if isinstance(error, FeedLost) and errand.at is not None:
        return f"{error} The input was accepted; `GET {errand.at.path}/events` has the answer."
    return str(error)


def _outcome(ended: BranchRunCompleted) -> str:
    if ended.status is RunStatus.CANCELLED:
        return f"The run was cancelled: {ended.reason}" if ended.reason else "The run was cancelled."
    return f"The run failed: {ended.error_message or 'no reason was given'} ({ended.error_type or ended.status})"


def _refuse(aside: Console, sentence: str) -> NoReturn:
    aside.out(f"branchline send: {sentence}", style="bold red", highlight=False)
    sys.exit(1)

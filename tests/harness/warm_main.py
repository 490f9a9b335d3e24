"""What runs in the warm Python: `python -m tests.harness.warm_main FD`."""

import gc
import json
import os
import runpy
import signal
import socket
import sys
from importlib import import_module
from typing import Any, Final

_LOADED: Final = (
    "aiosqlite",
    "alembic.command",
    "alembic.config",
    "alembic.ddl",
    "alembic.script",
    "anyio._backends._asyncio",
    "asyncpg",
    "encodings.idna",
    "genai_prices.data",
    "hosting.adapters.agents.function_tool",
    "hosting.adapters.models.agent",
    "hosting.adapters.models.assembly",
    "hosting.adapters.models.toolsets",
    "hosting.cli.main",
    "hosting.cli.send",
    "hosting.cli.serve",
    "hosting.cli.worker",
    "httpcore",
    "litestar._kwargs",
    "litestar.exceptions.responses",
    "litestar.middleware._internal.exceptions.middleware",
    "litestar.middleware.allowed_hosts",
    "litestar.middleware.csrf",
    "litestar.middleware.response_cache",
    "litestar.plugins.attrs",
    "litestar.plugins.pydantic.plugins.schema",
    "openai.lib.streaming.responses",
    "openai.resources.chat.completions",
    "openai.resources.responses",
    "opentelemetry.propagate",
    "pydantic_ai.models.anthropic",
    "pydantic_ai.models.function",
    "pydantic_ai.models.openai",
    "pydantic_ai.providers.openai",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)


def main() -> None:
    """Serve one request after the other; in the process that is asked for, become it."""
    # Ctrl-C at the terminal of the tests reaches their whole group; who must end on it says so below.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in _LOADED:
        import_module(module)
    # What the framework finds out about the types of our routes, it remembers; the application itself is let go of.
    import_module("hosting").create_app()
    # Pages that the collector never writes to stay shared.
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=int(sys.argv[1]))
    keepers: list[int] = []
    while True:
        said, files, _, _ = socket.recv_fds(control, 1, 4)
        # Waited for, and not ignored: so `time make test` counts what the servers took.
        keepers = [keeper for keeper in keepers if os.waitpid(keeper, os.WNOHANG if said else 0) == (0, 0)]
        if not said:
            return
        keepers.append(os.fork())
        if keepers[-1] == 0:
            control.close()
            _become(_born(*files), files[1:])
            return
        for file in files:
            os.close(file)


def _born(line: int, *files: int) -> dict[str, Any]:
    """Return, in the new process, what it is to be; its parent stays behind and tells who it is and how it ends."""
    with socket.socket(fileno=line) as told:
        wanted: dict[str, Any] = json.loads(told.makefile("rb").read())
        pid = os.fork()
        if pid == 0:
            return wanted
        for file in files:
            os.close(file)
        told.sendall(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        told.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(wanted: dict[str, Any], files: list[int]) -> None:
    """Be what `python -m hosting` is in its folder, as far as a program can tell."""
    if wanted["at_terminal"]:
        os.login_tty(os.dup(files[0]))
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    _open_standard_files()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.path[0] = os.getcwd()
    sys.argv = ["hosting", *wanted["arguments"]]
    runpy.run_module("hosting", run_name="__main__", alter_sys=True)


def _open_standard_files() -> None:
    """Wrap 0, 1 and 2 as Python does it at its start; those of this one were made for other files."""
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding=sys.stdin.encoding, closefd=False)
    out, errors = sys.stdout, sys.stderr
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", -1, out.encoding, out.errors, closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, errors.encoding, errors.errors, closefd=False)


if __name__ == "__main__":
    main()

"""`branchline ...` in a process of its own, to its end."""

import os
from pathlib import Path
from tempfile import TemporaryFile

from tests.cli.sending import Sent
from tests.harness.warm_python import WARM_PYTHON, WarmProcess

_ENDS_WITHIN_SECONDS = 60


def branchline(*arguments: str, folder: Path, **environment: str) -> Sent:
    """Run a command in a folder, where there may be settings; what it prints is small."""
    with TemporaryFile() as out, TemporaryFile() as errors:
        process = begin(*arguments, folder=folder, files=(out.fileno(), errors.fileno()), **environment)
        status = process.wait(_ENDS_WITHIN_SECONDS)
        out.seek(0)
        errors.seek(0)
        return Sent(status, out.read().decode(), errors.read().decode())


def begin(*arguments: str, folder: Path, files: tuple[int, int], **environment: str) -> WarmProcess:
    """Start a command that prints into these files."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
    with open(os.devnull) as nothing:
        return WARM_PYTHON.start(
            *arguments, folder=folder, environment=inherited | environment, files=(nothing.fileno(), *files)
        )

"""Where a server's processor time goes: its threads are looked at a thousand times a second of it."""

import atexit
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

SAMPLES: Final = "BENCHMARKS_SAMPLES"
"""The environment variable that names the file to leave the samples in."""
_EVERY_SECONDS: Final = 0.001
_WAITING: Final = {"_serve", "run", "wait", "get", "_worker"}
"""Functions at the very top of a thread that has nothing to do."""

Samples = dict[str, dict[str, int]]
"""How often each thread was found with each stack, from the outermost function to the innermost, parted by `;`."""


def sample_into(path: Path) -> None:
    """Begin to look, and write what was seen when the process ends."""
    seen: dict[str, Counter[str]] = {}

    def look(number: int, frame: FrameType | None) -> None:
        main = threading.main_thread().ident
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, top in sys._current_frames().items():
            found = frame if ident == main else top
            if found is not None and (ident == main or found.f_code.co_name not in _WAITING):
                seen.setdefault(names.get(ident, "unknown"), Counter())[_stack(found)] += 1

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)
    atexit.register(lambda: path.write_bytes(msgspec.json.encode(seen)))


def _stack(frame: FrameType | None) -> str:
    names: list[str] = []
    while frame is not None:
        code = frame.f_code
        names.append(f"{'/'.join(Path(code.co_filename).parts[-2:])}:{code.co_qualname}")
        frame = frame.f_back
    return ";".join(reversed(names))

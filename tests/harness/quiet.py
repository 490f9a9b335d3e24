"""A machine that has nothing else to do: how long things take says something only there."""

import psutil

_LOOK_SECONDS = 2.0
_BUSY_PERCENT = 30.0


def need_a_quiet_machine() -> None:
    """Fail at once where others use the processors: a campaign about times must neither pass there nor accuse."""
    busy = psutil.cpu_percent(interval=_LOOK_SECONDS)
    assert busy < _BUSY_PERCENT, f"the processors are {busy:.0f} % busy with other things: run this campaign alone"

"""Registering harnesses: all of them, or none."""

from collections.abc import Sequence

from events.client_tools import ClientToolHarness
from middleware.client_tools.check import check_harnesses
from middleware.client_tools.state import ClientToolState


def register(state: ClientToolState, given: Sequence[ClientToolHarness], place: str) -> ClientToolState:
    """Return the state with these harnesses, each where an earlier one of its name was, or at the end.

    One that is registered again stays expanded or collapsed as it was, unless the new one starts otherwise: a client
    that sends its harnesses with each input does not undo what happened since. What was hidden of it stays hidden.

    Raises:
        ClientToolInputRefused: one of them cannot be taken; its place begins with `place`.
    """
    earlier = {harness.name: harness for harness in state.harnesses}
    now = {harness.name: harness for harness in given}
    check_harnesses(given, place, beside=[harness for name, harness in earlier.items() if name not in now])
    expanded = {*state.expanded}
    for name, harness in now.items():
        if name not in earlier or earlier[name].start_collapsed is not harness.start_collapsed:
            expanded.discard(name) if harness.start_collapsed else expanded.add(name)
    return state.holding({**earlier, **now}.values(), expanded=expanded)

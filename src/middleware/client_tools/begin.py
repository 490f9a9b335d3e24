"""What a run starts with."""

from msgspec import structs

from events.client_tools import ClientToolInput
from middleware.client_tools.context import add_context
from middleware.client_tools.read import HARNESSES
from middleware.client_tools.register import register
from middleware.client_tools.state import ClientToolState


def begin(state: ClientToolState | None, given: ClientToolInput | None) -> ClientToolState:
    """Return the client's tools for a run: those of earlier runs, with what its input says of them.

    A harness replaces the earlier one of its name; then harnesses are expanded, tools hidden, context and state taken.
    With `resetClientState` everything earlier is forgotten first.

    Raises:
        ClientToolInputRefused: a harness cannot be taken, in itself or beside those of earlier runs.
    """
    earlier = state or ClientToolState()
    if given is None:
        return earlier
    if given.reset_client_state:
        earlier = ClientToolState()
    now = register(earlier, given.client_tool_harnesses, HARNESSES)
    now = now.expanding(given.expanded_containers).hiding(given.hidden_tools)
    return structs.replace(
        now,
        context=add_context(now.context, given.context),
        state=now.state if given.state is None else given.state,
    )

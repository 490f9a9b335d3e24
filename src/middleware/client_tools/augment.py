"""What an answer of the client changes, before the next model call."""

from typing import Any

from msgspec import structs

from events.client_tools import Augmentation
from middleware.client_tools.context import add_context, remove_context
from middleware.client_tools.register import register
from middleware.client_tools.state import ClientToolState


def augment(state: ClientToolState, augmentation: Augmentation) -> ClientToolState:
    """Return the state with all changes made, in the order in which Augmentation names them.

    Names that nothing has are ignored.

    Raises:
        ClientToolInputRefused: an injected harness cannot be taken; no change is made.
    """
    now = state.without(augmentation.remove_tool_harnesses)
    now = register(now, augmentation.inject_tool_harnesses, "injectToolHarnesses")
    now = now.expanding(augmentation.expand_tool_harnesses).collapsing(augmentation.collapse_tool_harnesses)
    now = now.hiding(augmentation.hide_tools).showing(augmentation.show_tools)
    context = remove_context(add_context(now.context, augmentation.add_context), augmentation.remove_context)
    return structs.replace(now, context=context, state=_state(now.state, augmentation))


def _state(before: Any, augmentation: Augmentation) -> Any:
    if augmentation.update_state is not None:
        return augmentation.update_state
    return before if augmentation.patch_state is None else augmentation.patch_state

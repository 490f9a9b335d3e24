"""The client's tools as a branch knows them; kept between runs, and copied by forks."""

from collections.abc import Collection, Iterable
from typing import Any

from msgspec import Struct, structs

from events.client_tools import ClientToolHarness, ContextItem
from middleware.client_tools.names import called_names, is_callable_name


class ClientToolState(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """What is registered and what of it is shown; JSON can hold it.

    Names are unique: of harnesses, and of whatever an agent can call. What is expanded or hidden is registered.
    """

    harnesses: tuple[ClientToolHarness, ...] = ()
    expanded: tuple[str, ...] = ()
    """The harnesses whose tools are shown, those that never were collapsed among them; in the order of `harnesses`."""
    hidden_tools: tuple[str, ...] = ()
    """Names that are not shown, whatever they name: tools, skills, collapsed harnesses."""
    context: tuple[ContextItem, ...] = ()
    state: Any = None
    """The client's own state, as it was last told."""

    def harness(self, name: str) -> ClientToolHarness | None:
        """Return the harness of that name; None when there is none."""
        return next((harness for harness in self.harnesses if harness.name == name), None)

    def holding(self, harnesses: Iterable[ClientToolHarness], *, expanded: Collection[str]) -> "ClientToolState":
        """Return the state with exactly these harnesses; what is not there any more is not hidden any more either."""
        kept, shown = tuple(harnesses), frozenset(expanded)
        known = {name for harness in kept for name in (harness.name, *called_names(harness))}
        return structs.replace(
            self,
            harnesses=kept,
            expanded=tuple(harness.name for harness in kept if harness.name in shown),
            hidden_tools=tuple(name for name in self.hidden_tools if name in known),
        )

    def without(self, names: Collection[str]) -> "ClientToolState":
        """Return the state without these harnesses."""
        gone = frozenset(names)
        kept = [harness for harness in self.harnesses if harness.name not in gone]
        return self.holding(kept, expanded=self.expanded)

    def expanding(self, names: Collection[str]) -> "ClientToolState":
        """Return the state with these harnesses showing their tools."""
        return self.holding(self.harnesses, expanded={*self.expanded, *names})

    def collapsing(self, names: Collection[str]) -> "ClientToolState":
        """Return the state with these harnesses showing one name instead of their tools.

        A harness whose name no agent can call stays as it is: its tools would be out of reach.
        """
        collapsed = {name for name in names if is_callable_name(name)}
        return self.holding(self.harnesses, expanded={*self.expanded} - collapsed)

    def hiding(self, names: Collection[str]) -> "ClientToolState":
        """Return the state with nothing of these names shown."""
        hidden = tuple(dict.fromkeys((*self.hidden_tools, *names)))
        return structs.replace(self, hidden_tools=hidden).holding(self.harnesses, expanded=self.expanded)

    def showing(self, names: Collection[str]) -> "ClientToolState":
        """Return the state with what has these names not hidden."""
        shown = frozenset(names)
        return structs.replace(self, hidden_tools=tuple(name for name in self.hidden_tools if name not in shown))

"""Items of context: what the client wants the agent to know."""

from collections.abc import Collection

from events.client_tools import ContextItem

Items = tuple[ContextItem, ...]


def add_context(items: Items, added: Items) -> Items:
    """Return the items with others after them, which replace earlier ones of the same name.

    An item without a key is named by its description: without a name, what each input says anew of the page that is
    open would pile up for the life of the branch. Items without keys that come together all stay; of one key, the
    last does.
    """
    names = {_name(item) for item in added}
    last = {item.key: item for item in added}
    return (
        *(item for item in items if _name(item) not in names),
        *(item for item in added if item.key is None or last[item.key] is item),
    )


def remove_context(items: Items, names: Collection[str]) -> Items:
    """Return the items without those of these names."""
    gone = frozenset(names)
    return tuple(item for item in items if _name(item) not in gone)


def _name(item: ContextItem) -> str:
    return item.description if item.key is None else item.key

"""Schemas of an OpenAPI document, as JSON Schemas that stand on their own."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

_ONE: Final = frozenset(
    {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then", "unevaluatedProperties"}
)
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"dependentSchemas", "patternProperties", "properties"})
_LEFT_OUT: Final = frozenset({"discriminator", "example", "examples", "externalDocs", "nullable", "xml"})
_LONGEST_CHAIN: Final = 20
_LARGEST: Final = 400_000


class BrokenReference(Exception):
    """A `$ref` leads nowhere in the document."""


class Misshapen(Exception):
    """Something in a document is not what OpenAPI says that stands there; `place` is a pointer into the document."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(sentence)
        self.place, self.sentence = place, sentence


class DocumentTooLarge(Exception):
    """The schemas of a document's operations are too large, with all that they refer to."""


class Allowance:
    """How much may be taken out of the documents of one agent: a small one can refer to a large part very often."""

    def __init__(self, size: int = _LARGEST) -> None:
        self._left = size

    def take(self, size: int) -> None:
        """Count this much, as often as it is taken.

        Raises:
            DocumentTooLarge: it is too much.
        """
        self._left -= size
        if self._left < 0:
            raise DocumentTooLarge("What its operations refer to is too large in all; name fewer of them.")


class Document:
    """An OpenAPI document; its references are followed inside of it alone."""

    def __init__(self, root: Mapping[str, Any], allowance: Allowance | None = None) -> None:
        self.root = root
        self.allowance = allowance or Allowance()

    def followed(self, node: Any) -> Any:
        """Return what stands in a place, or what it refers to.

        Raises:
            BrokenReference: the document has nothing there.
        """
        for _ in range(_LONGEST_CHAIN):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                return node
            node = self.at(node["$ref"])
        raise BrokenReference("References lead to references, and so on.")

    def at(self, reference: str) -> Any:
        """Return what a reference leads to.

        Raises:
            BrokenReference: nothing, or another document.
        """
        if not reference.startswith("#/"):
            raise BrokenReference(f"{reference!r:.200} is not in this document.")
        node: Any = self.root
        for part in unquote(reference[2:]).split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or key not in node:
                raise BrokenReference(f"There is no {reference!r:.200} in this document.")
            node = node[key]
        return node


class Schemas:
    """Takes schemas out of a document; what they refer to is gathered in `definitions`."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._names: dict[str, str] = {}
        self._called: dict[str, int] = {}
        self.definitions: dict[str, Any] = {}

    def taken(self, schema: Any) -> Any:
        """Return a schema whose references lead to `#/$defs`.

        Raises:
            BrokenReference: one leads nowhere.
            DocumentTooLarge: they lead to too much.
        """
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else {}
        self._document.allowance.take(1 + len(schema))
        made = {key: self._member(key, value) for key, value in schema.items() if key not in _LEFT_OUT}
        if isinstance(schema.get("$ref"), str):
            made["$ref"] = f"#/$defs/{self._definition(schema['$ref'])}"
        _without_3_0(schema, made)
        return made

    def _member(self, key: str, value: Any) -> Any:
        if key in _ONE:
            return self.taken(value)
        if key in _LISTS and isinstance(value, list):
            return [self.taken(each) for each in value]
        if key in _MAPS and isinstance(value, dict):
            return {name: self.taken(each) for name, each in value.items()}
        return value

    def _definition(self, reference: str) -> str:
        name = self._names.get(reference)
        if name is None:
            last = re.sub(r"[^A-Za-z0-9_]", "_", reference.rpartition("/")[2]) or "Schema"
            name = self._free(last)
            # Known before it is taken: a schema may hold itself.
            self._names[reference] = name
            self.definitions[name] = self.taken(self._document.at(reference))
        return name

    def _free(self, name: str) -> str:
        """Return this name, or with the next number one that nothing else has."""
        free = name
        while free in self._called:
            self._called[name] += 1
            free = f"{name}_{self._called[name]}"
        self._called[free] = 1
        return free


def _without_3_0(schema: Mapping[str, Any], made: dict[str, Any]) -> None:
    """Say in the words of JSON Schema what OpenAPI 3.0 says in its own."""
    if schema.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), bool):
            del made[exclusive]
            if schema[exclusive] and bound in made:
                made[exclusive] = made.pop(bound)

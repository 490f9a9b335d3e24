"""The operations of a service with an OpenAPI document, as tools."""

from collections.abc import Container, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from events.tools import CallType, ToolResult
from hosting.adapters.models.openapi_operation import Operation, listed_in, read_operation
from hosting.adapters.models.openapi_request import request_of
from hosting.adapters.models.openapi_schema import Allowance, BrokenReference, Document, DocumentTooLarge, Misshapen
from hosting.adapters.models.openapi_service import Service
from hosting.adapters.models.tool_name import tool_name
from hosting.adapters.models.tool_source import FixedTools
from hosting.domain.errors import ConfigRefused
from hosting.domain.toolset_config import OpenApiTools
from hosting.ports.tools import Tool, ToolContext, Work

_MOST: Final = 128
_MOST_READ: Final = 512
_ONLY_READ: Final = frozenset({"GET", "HEAD"})
_VERSIONS: Final = ("3.0", "3.1")


class ServiceTools(FixedTools):
    """A ToolSource that is a service; its connections are kept from call to call."""

    def __init__(
        self, described: OpenApiTools, environment: Mapping[str, str], allowance: Allowance, *, pointer: str
    ) -> None:
        """Read the document; raises ConfigRefused for what cannot be tools, with pointers below the one given."""
        self._service = Service(described, environment)
        operations = _operations(described, allowance, pointer)
        super().__init__(described.name, [self._tool(described, operation) for operation in operations])

    async def close(self) -> None:
        """See ToolSource.close."""
        await self._service.close()

    def _tool(self, described: OpenApiTools, operation: Operation) -> Tool:
        gated = described.requires_permission
        only_reads = operation.method in _ONLY_READ
        return Tool(
            tool_name(described.name, operation.id),
            self._work(operation),
            description=operation.description,
            requires_permission=operation.id in gated
            if isinstance(gated, tuple)
            else (not only_reads if gated is None else gated),
            safe_to_retry=only_reads,
            timeout=timedelta(seconds=described.timeout_seconds),
            call_type=CallType.OPEN_API,
            harness=described.name,
            parameters_schema=operation.schema,
            check=lambda arguments: request_of(operation, arguments),
        )

    def _work(self, operation: Operation) -> Work:
        async def call(context: ToolContext, arguments: Mapping[str, Any]) -> ToolResult:
            return await self._service.call(request_of(operation, arguments))

        return call


def _operations(described: OpenApiTools, allowance: Allowance, pointer: str) -> list[Operation]:
    where = f"{pointer}/spec" if described.spec_file is None else f"{pointer}/specFile"
    document = Document(_read(described, where), allowance)
    try:
        wanted = _wanted(described, document, pointer)
    except Misshapen as error:
        if described.spec_file is None:
            raise ConfigRefused(f"{where}{error.place}", error.sentence) from error
        raise ConfigRefused(where, f"At {error.place} of the document: {error.sentence}") from error
    except (BrokenReference, DocumentTooLarge, RecursionError) as error:
        raise ConfigRefused(where, f"The OpenAPI document cannot be read: {error}") from error
    if not 0 < len(wanted) <= _MOST:
        raise _too_many(len(wanted), pointer)
    return _of_different_names(described, wanted, where)


def _wanted(described: OpenApiTools, document: Document, pointer: str) -> list[Operation]:
    """Read the operations that are used, and no others: there may be thousands."""
    listed = {each.id: each for each in listed_in(document)}
    chosen = listed if described.operations is None else dict.fromkeys(described.operations)
    _check_names(f"{pointer}/operations", described.operations or (), listed)
    if len(chosen) > _MOST_READ:
        raise _too_many(len(chosen), pointer)
    read = {name: read_operation(document, listed[name]) for name in chosen}
    found = {name: operation for name, operation in read.items() if operation is not None}
    _check_names(f"{pointer}/operations", described.operations or (), found)
    gated = described.requires_permission
    # Of one that is not used it is enough that there is such a one.
    usable = found.keys() | (listed.keys() - read.keys())
    _check_names(f"{pointer}/requiresPermission", gated if isinstance(gated, tuple) else (), usable)
    return list(found.values())


def _check_names(pointer: str, names: Iterable[str], known: Container[str]) -> None:
    for at, name in enumerate(names):
        if name not in known:
            raise ConfigRefused(f"{pointer}/{at}", f"The document has no operation {name!r:.100} that can be a tool.")


def _too_many(many: int, pointer: str) -> ConfigRefused:
    return ConfigRefused(
        f"{pointer}/operations",
        f"The document has {many} operations that can be tools; name 1 to {_MOST} of them.",
    )


def _of_different_names(described: OpenApiTools, wanted: list[Operation], where: str) -> list[Operation]:
    named: dict[str, str] = {}
    for operation in wanted:
        other = named.setdefault(tool_name(described.name, operation.id), operation.id)
        if other != operation.id:
            raise ConfigRefused(where, f"A model cannot tell the operations {other!r:.100} and {operation.id!r:.100}.")
    return wanted


def _read(described: OpenApiTools, where: str) -> dict[str, Any]:
    document = described.spec
    if document is None:
        try:
            document = msgspec.json.decode(Path(described.spec_file or "").read_bytes(), type=dict[str, Any])
        except OSError as error:
            raise ConfigRefused(where, f"The file cannot be read: {error.strerror}.") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise ConfigRefused(where, f"The file is no JSON object: {error}") from error
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith(_VERSIONS):
        raise ConfigRefused(where, "This is no OpenAPI 3.0 or 3.1 document.")
    return document

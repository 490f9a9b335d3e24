"""A tool as pydantic-ai shows it to a model, whoever calls it then."""

from typing import Any, Final

from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
from pydantic_core import SchemaValidator, core_schema

# Whoever makes the call looks whether the arguments fit: any object passes here.
_OBJECT: Final = SchemaValidator(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))


def shown_tool(toolset: AbstractToolset[Any], definition: ToolDefinition) -> ToolsetTool[Any]:
    """Return a tool of a toolset."""
    return ToolsetTool(toolset=toolset, tool_def=definition, max_retries=1, args_validator=_OBJECT)

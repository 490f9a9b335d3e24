"""Finding the agents that `branchline serve` is told of, and the custom events beside them."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from events.event import Event
from events.ids import is_client_id, is_name
from hosting.adapters.agents.function import takes_run_context
from hosting.adapters.models.adopt import is_model_agent, made_of
from hosting.cli.near_miss import near_miss
from hosting.domain.errors import BranchlineError
from hosting.hostable import HOW, as_agent, id_of, is_agent, is_hostable
from hosting.ports.agents import Agent
from hosting.ports.tools import Tool

_OURS: Final = frozenset({"events", "middleware", "hosting"})
_MISSES_SHOWN: Final = 3


class AgentsNotFound(BranchlineError):
    """A module or file cannot be used; the sentence says why, and where in it."""


@dataclass(slots=True)
class Served:
    """What the modules and files named hold: agents by id, tools by name, and the custom events to register."""

    agents: dict[str, Agent] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    events: list[type[Event]] = field(default_factory=list)
    found: dict[str, tuple[object, str]] = field(default_factory=dict)
    """What each agent was found as, and where: the same thing may be named twice."""


def load_served(targets: tuple[str, ...]) -> Served:
    """Return what `file.py`, `module`, `file.py:attribute` and `module:attribute` hold.

    Without an attribute these are all agents that say their own `agent_id` (those made with `hosting.agent` do), and
    what has a public name and is an agent of pydantic-ai's, or an async function of the module's own that takes the
    run context; beside agents of pydantic-ai's its parameter must be annotated, as a bare function may be theirs.
    An attribute names any async function, or object with `name` and an async `run` (hosting.Agent).
    The id is the agent's own, or else the name that it is bound to. Tools and custom events (subclasses of Event) are
    those of the module whose names do not begin with an underscore, imported ones too.

    Raises:
        AgentsNotFound: a target cannot be imported or has neither agents nor tools, an id or name cannot be used, or is
            there twice.
        AgentRefused: an agent cannot be hosted as it is.
    """
    served = Served()
    for target in targets:
        place, attribute = _split(target)
        module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
        agents = [(attribute, _named(module, attribute, target))] if attribute else list(_agents_in(module))
        tools = list(_tools_in(module))
        if not agents and not tools:
            raise AgentsNotFound(f"{target} has no agents; {HOW}.{_misses(_functions_of(module))}")
        for bound, value in agents:
            _add(served, bound, value, place)
        for tool in tools:
            if served.tools.setdefault(tool.name, tool) is not tool:
                raise AgentsNotFound(f"Two tools are named {tool.name!r}; the second is in {target}.")
        served.events += [event for event in _events_in(module) if event not in served.events]
    return served


def _split(target: str) -> tuple[str, str]:
    """Part a target from its attribute; the colon of a Windows drive parts nothing."""
    if target.endswith(".py"):
        return target, ""
    place, _, attribute = target.rpartition(":") if ":" in target else (target, "", "")
    return place, attribute


def _add(served: Served, bound: str, value: object, target: str) -> None:
    agent_id = id_of(value, bound)
    agent = as_agent(agent_id, value)
    if not is_client_id(agent_id):
        raise AgentsNotFound(
            f"The agent id {agent_id!r} in {target} must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or .."
        )
    if not is_name(agent.name):
        raise AgentsNotFound(f"The name {agent.name!r} of an agent in {target} holds a NUL or half a surrogate pair.")
    served.agents.setdefault(agent_id, agent)
    place = f"{bound} in {target}"
    first, first_place = served.found.setdefault(agent_id, (value, place))
    if first is not value:
        raise AgentsNotFound(f"Two agents have the id {agent_id!r}: {first_place}, and {place}.")


def _agents_in(module: ModuleType) -> Iterator[tuple[str, object]]:
    values = vars(module)
    # What is registered with such an agent (a tool, instructions) is left in the module, and looks like one of ours.
    beside_models = any(is_model_agent(value) for value in values.values())
    # What its author hosts with `model_agent` is no second agent, and neither is what makes the deps of that.
    found = [inside for value in values.values() for inside in made_of(value)]
    for bound, value in values.items():
        # Under its first name only: another one for the same thing is no second agent.
        if _is_found(module, bound, value, beside_models=beside_models) and not any(value is one for one in found):
            found.append(value)
            yield bound, value


def _is_found(module: ModuleType, bound: str, value: Any, *, beside_models: bool) -> bool:
    is_public = not bound.startswith("_")
    if is_model_agent(value):
        return is_public
    if is_agent(value):
        return isinstance(getattr(value, "agent_id", None), str)
    return is_public and takes_run_context(value, annotated=beside_models) and value.__module__ == module.__name__


def _functions_of(module: ModuleType) -> Iterator[Any]:
    for bound, value in vars(module).items():
        if not bound.startswith("_") and getattr(value, "__module__", None) == module.__name__:
            yield value


def _misses(values: Iterable[Any]) -> str:
    misses = list(dict.fromkeys(said for said in map(near_miss, values) if said))
    return "".join(f" {said}" for said in misses[:_MISSES_SHOWN])


def _tools_in(module: ModuleType) -> Iterator[Tool]:
    for name, value in vars(module).items():
        if isinstance(value, Tool) and not name.startswith("_"):
            yield value


def _events_in(module: ModuleType) -> Iterator[type[Event]]:
    for name, value in vars(module).items():
        if not isinstance(value, type) or not issubclass(value, Event) or name.startswith("_"):
            continue
        if value.__module__.partition(".")[0] not in _OURS and not getattr(value, "__parameters__", None):
            yield value


def _named(module: ModuleType, attribute: str, target: str) -> object:
    if not hasattr(module, attribute):
        known = ", ".join(name for name, value in vars(module).items() if _is_shown(name, value)) or "none"
        raise AgentsNotFound(f"{target} is not there; the agents in that module are: {known}.")
    value = getattr(module, attribute)
    if isinstance(value, type):
        raise AgentsNotFound(f"{target} is a class; name an instance of it.")
    if not is_hostable(value):
        raise AgentsNotFound(f"{target} is no agent: it has no `name` and async `run`; {HOW}.{_misses([value])}")
    return value


def _is_shown(name: str, value: Any) -> bool:
    return is_agent(value) or is_model_agent(value) or (not name.startswith("_") and takes_run_context(value))


def _import_file(path: Path) -> ModuleType:
    whole = path.resolve()
    if not whole.is_file():
        raise AgentsNotFound(f"There is no file {path}.")
    name = path.stem
    while (loaded := sys.modules.get(name)) is not None:
        if getattr(loaded, "__file__", None) == str(whole):
            return loaded
        # A file `json.py`, or two files of one name, must not take the place of a module in use.
        name = f"_{name}"
    spec = importlib.util.spec_from_file_location(name, whole)
    if spec is None or spec.loader is None:
        raise AgentsNotFound(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(whole.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's code raises is told in one sentence
        _refuse_import(str(path), error, whole.parent)
    return module


def _import_module(name: str) -> ModuleType:
    folder = Path.cwd()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise AgentsNotFound(f"There is no module {error.name!r} here; a file is named with its `.py`.") from error
        _refuse_import(name, error, folder)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's code raises is told in one sentence
        _refuse_import(name, error, folder)


def _refuse_import(target: str, error: BaseException, folder: Path) -> NoReturn:
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    raise AgentsNotFound(f"{target} cannot be imported: {what}{_place(error, folder)}.") from error


def _place(error: BaseException, folder: Path) -> str:
    """Say where in the user's own code it happened: the innermost place that is neither a library's nor ours."""
    if isinstance(error, SyntaxError):
        return f" ({_shown(error.filename or '', folder)}, line {error.lineno})"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(folder) and "site-packages" not in path.parts:
            return f" ({_shown(frame.filename, folder)}, line {frame.lineno})"
    return ""


def _shown(filename: str, folder: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else filename

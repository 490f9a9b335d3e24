"""Finding the agents that `branchline serve` is told of."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from hosting.adapters.agents.function import FunctionAgent
from hosting.domain.errors import BranchlineError


class AgentsNotFound(BranchlineError):
    """A module or file names no agents; the sentence says which."""


def load_agents(targets: tuple[str, ...]) -> dict[str, FunctionAgent]:
    """Return the agents of `file.py`, `module` and `module:attribute` targets, by id.

    Raises:
        AgentsNotFound: a target cannot be imported or has no agents, or two agents have one id.
    """
    found: dict[str, FunctionAgent] = {}
    for target in targets:
        for agent in _agents_of(target):
            if found.setdefault(agent.agent_id, agent) is not agent:
                raise AgentsNotFound(f"Two agents have the id {agent.agent_id!r}; the second is in {target}.")
    return found


def _agents_of(target: str) -> list[FunctionAgent]:
    if target.endswith(".py"):
        agents = _in_module(_import_file(Path(target)))
    else:
        name, _, attribute = target.partition(":")
        module = _import_module(name)
        agents = [_attribute(module, attribute)] if attribute else _in_module(module)
    if not agents:
        raise AgentsNotFound(f"{target} has no agents; decorate an async function with @hosting.agent('its-id').")
    return agents


def _in_module(module: ModuleType) -> list[FunctionAgent]:
    return [value for value in vars(module).values() if isinstance(value, FunctionAgent)]


def _attribute(module: ModuleType, attribute: str) -> FunctionAgent:
    agent = getattr(module, attribute, None)
    if not isinstance(agent, FunctionAgent):
        raise AgentsNotFound(f"{module.__name__}:{attribute} is no agent made with @hosting.agent.")
    return agent


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise AgentsNotFound(f"There is no file {path}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise AgentsNotFound(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _import_module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise AgentsNotFound(f"There is no module {name!r} here ({error}).") from error

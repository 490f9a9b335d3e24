"""What `branchline serve` finds in modules besides agents."""

from pathlib import Path

import pytest

from hosting import Settings, create_app, tool
from hosting.bootstrap import server_of
from hosting.cli.agents import load_served
from hosting.settings import SettingsRefused

TOOLS = """import hosting

@hosting.tool
def dig(deep: int) -> None: ...

@hosting.tool(name="_rake")
def rake() -> None: ...

_hidden = hosting.tool(name="hidden")(lambda: None)
"""
AGENTS = """from shed_tools import dig, rake as tidy

async def digger(context): ...
"""

JANITOR = """import pydantic_ai
from pydantic_ai import Agent, RunContext
import hosting

janitor = Agent(deps_type=object)

@janitor.tool(requires_approval=True)
async def generic(ctx: RunContext[str]): ...

@janitor.tool(requires_approval=True)
async def bare(ctx: RunContext): ...

@janitor.tool(requires_approval=True)
async def of_text(ctx: "RunContext[str]"): ...

@janitor.tool(requires_approval=True)
async def bare_text(ctx: "pydantic_ai.RunContext"): ...

@janitor.tool(requires_approval=True)
async def named(context: RunContext[str]): ...

@janitor.instructions
async def unannotated(context): ...

async def ours(ctx: hosting.RunContext): ...

async def ours_in_text(context: "hosting.RunContext"): ...
"""
# The same functions, registered by nobody in this module.
BROOMS = "".join(line for line in JANITOR.splitlines(keepends=True) if "janitor" not in line)


@pytest.mark.parametrize(
    ("name", "text", "besides"), [("janitor", JANITOR, "janitor"), ("brooms", BROOMS, "unannotated")]
)
def test_a_function_that_takes_the_context_of_pydantic_ai_is_no_agent_of_its_own(
    tmp_path: Path, name: str, text: str, besides: str
) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text(text)

    served = load_served((str(file),))

    assert list(served.agents) == [besides, "ours", "ours_in_text"]


def test_an_agent_of_two_names_is_hosted_once_under_the_first(tmp_path: Path) -> None:
    file = tmp_path / "twins.py"
    file.write_text("from pydantic_ai import Agent\nfirst = second = Agent()\n")

    served = load_served((str(file),))

    assert list(served.agents) == ["first"]


def test_tools_with_public_names_are_the_servers_wherever_they_were_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "shed_tools.py").write_text(TOOLS)
    (tmp_path / "shed_agents.py").write_text(AGENTS)

    of_tools = load_served(("shed_tools.py",))
    of_both = load_served(("shed_tools", "shed_agents.py", "shed_agents:digger"))
    app = create_app(of_both.agents, tools=of_both.tools.values(), settings=Settings())

    assert (list(of_tools.agents), list(of_tools.tools)) == ([], ["dig", "_rake"])
    assert (list(of_both.agents), list(of_both.tools)) == (["digger"], ["dig", "_rake"])
    assert server_of(app).roster.tools == of_both.tools


def test_a_host_program_cannot_give_two_tools_of_one_name() -> None:
    @tool
    def dig() -> None: ...

    another = tool(name="dig")(lambda: None)

    assert list(server_of(create_app(tools=[dig, dig])).roster.tools) == ["dig"]
    with pytest.raises(SettingsRefused, match=r"Two tools are named 'dig'\."):
        create_app(tools=[dig, another])


def test_what_is_no_agent_is_refused_where_it_is_given() -> None:
    with pytest.raises(TypeError, match="7 is no agent: it has no `name` and async `run`; decorate an async function"):
        create_app({"seven": 7})

"""What `branchline serve` says of agents that it cannot serve: one sentence, with the place, and status 1."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.process import ServerProcess

AGENT = "import hosting\n\n@hosting.agent('mine')\nasync def mine(context):\n    yield 'hi'\n"
TOOL = "\n\n@hosting.tool\ndef dig(deep: int) -> None: ...\n"
OBJECT = """class Mine:
    agent_id = {agent_id}
    name = {name}
    async def run(self, context): ...

mine = Mine()
"""

REFUSED = {
    "a syntax error": (
        {"bad.py": "import hosting\n\ndef broken(:\n    pass\n"},
        ["bad.py"],
        "bad.py cannot be imported: SyntaxError: invalid syntax (bad.py, line 3).",
    ),
    "an exception": (
        {"bad.py": "import hosting\n\n1 / 0\n"},
        ["bad.py"],
        "bad.py cannot be imported: ZeroDivisionError: division by zero (bad.py, line 3).",
    ),
    "a module of its own that fails": (
        {"bad.py": "import part\n", "part.py": "\n\nraise RuntimeError('no key')\n"},
        ["bad"],
        "bad cannot be imported: RuntimeError: no key (part.py, line 3).",
    ),
    "an import that is not there": (
        {"bad.py": "import hosting\nimport not_there_at_all\n"},
        ["bad"],
        "bad cannot be imported: ModuleNotFoundError: No module named 'not_there_at_all' (bad.py, line 2).",
    ),
    "an exit": (
        {"bad.py": "raise SystemExit(3)\n"},
        ["bad.py"],
        "bad.py cannot be imported: SystemExit: 3 (bad.py, line 1).",
    ),
    "a function that is not async": (
        {"bad.py": "import hosting\n\n@hosting.agent('mine')\ndef mine(context):\n    return 'hi'\n"},
        ["bad.py"],
        "must be an async function or an async generator that takes the context. (bad.py, line 3).",
    ),
    "no file": ({}, ["bad.py"], "There is no file bad.py."),
    "no module": ({}, ["nothing_here"], "There is no module 'nothing_here' here; a file is named with its `.py`."),
    "no agents": (
        {"bad.py": "x = 1\n"},
        ["bad.py"],
        "bad.py has no agents; decorate an async function with @hosting.agent, or make an agent of pydantic-ai's.\n",
    ),
    "a context under another name": (
        {"bad.py": "async def hello(ctx):\n    return 'hi'\n"},
        ["bad.py"],
        "or make an agent of pydantic-ai's. hello takes `ctx`; call it `context`.\n",
    ),
    "a plain function that is not async": (
        {"bad.py": "x = 1\ndef hello(context):\n    return 'hi'\ndef _hidden(context): ...\ndef sum(numbers): ...\n"},
        ["bad.py"],
        "or make an agent of pydantic-ai's. hello is not async.\n",
    ),
    "a plain function that is not async, named": (
        {"bad.py": "def hello(ctx):\n    return 'hi'\n"},
        ["bad:hello"],
        "or make an agent of pydantic-ai's. hello is not async.\n",
    ),
    "another RunContext": (
        {"bad.py": "class RunContext: ...\nasync def hello(context: 'RunContext'):\n    return 'hi'\n"},
        ["bad.py"],
        "hello takes `context: 'RunContext'`, which is not hosting.RunContext.\n",
    ),
    "a bare context beside a hidden agent of pydantic-ai's": (
        {"bad.py": "from pydantic_ai import Agent\n_own = Agent()\nasync def hello(context): ...\n"},
        ["bad.py"],
        "hello takes `context`; annotate it as `hosting.RunContext`.\n",
    ),
    "no such attribute": (
        {"bad.py": AGENT},
        ["bad:yours"],
        "bad:yours is not there; the agents in that module are: mine.",
    ),
    "no agent": (
        {"bad.py": "async def mine():\n    yield 'hi'\n"},
        ["bad:mine"],
        "bad:mine is no agent: it has no `name` and async `run`; decorate an async function with @hosting.agent, "
        "or make an agent of pydantic-ai's.\n",
    ),
    "a class": (
        {"bad.py": "class Mine:\n    name = 'Mine'\n    async def run(self, context): ...\n"},
        ["bad:Mine"],
        "bad:Mine is a class; name an instance of it.",
    ),
    "one id twice": (
        {"bad.py": AGENT, "worse.py": AGENT},
        ["bad.py", "worse.py"],
        "Two agents have the id 'mine': mine in bad.py, and mine in worse.py.",
    ),
    "one id twice in a file": (
        {"bad.py": "from pydantic_ai import Agent\nfirst = Agent(name='bot')\nsecond = Agent(name='bot')\n"},
        ["bad.py"],
        "Two agents have the id 'bot': first in bad.py, and second in bad.py.",
    ),
    "an id that no path can hold": (
        {"bad.py": AGENT.replace("'mine'", "'my agent/1'")},
        ["bad.py"],
        "bad.py cannot be imported: ValueError: The agent id 'my agent/1' must be 1 to 128 of A-Z a-z 0-9 . _ ~ - "
        "and not . or .. (bad.py, line 3).",
    ),
    "an id that no path can hold, of an object": (
        {"bad.py": OBJECT.format(agent_id="'my agent/1'", name="'Mine'")},
        ["bad.py"],
        "The agent id 'my agent/1' in bad.py must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..",
    ),
    "an id that is no text": (
        {"bad.py": AGENT.replace("'mine'", "7")},
        ["bad.py"],
        "The id and the name of an agent must be texts; write @agent, or @agent('its-id'). (bad.py, line 3).",
    ),
    "one tool name twice": (
        {"bad.py": AGENT + TOOL, "worse.py": AGENT.replace("'mine'", "'yours'") + TOOL},
        ["bad.py", "worse.py"],
        "Two tools are named 'dig'; the second is in worse.py.",
    ),
    "a tool that takes what no call can give": (
        {"bad.py": AGENT + TOOL.replace("deep: int", "*holes: int")},
        ["bad.py"],
        "The parameter *holes: int of dig takes any number; a call gives names. (bad.py, line 8).",
    ),
    "a tool of a type that JSON cannot be read into": (
        {"bad.py": AGENT + TOOL.replace("deep: int", "deep: complex")},
        ["bad.py"],
        "TypeError: The parameter deep of dig has a type that JSON cannot be read into: complex. (bad.py, line 8).",
    ),
    "half a surrogate pair in a name": (
        {"bad.py": AGENT.replace("'mine'", r"'mine', name='N\ud800'")},
        ["bad.py"],
        r"ValueError: The agent name 'N\ud800' holds a NUL or half a surrogate pair. (bad.py, line 3).",
    ),
    "a NUL in a name, of an object": (
        {"bad.py": OBJECT.format(agent_id="'mine'", name=r"'N\0'")},
        ["bad.py"],
        r"The name 'N\x00' of an agent in bad.py holds a NUL or half a surrogate pair.",
    ),
    "a custom event of a known name": (
        {
            "bad.py": AGENT
            + "from events.event import Event\nclass TextDelta(Event, frozen=True, kw_only=True):\n    x: int\n"
        },
        ["bad.py"],
        "TEXT_DELTA is already the wire name of TextDelta",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_serving_is_refused_with_the_cause_and_its_place(
    make_server: Callable[..., ServerProcess], tmp_path: Path, sqlite_url: str, case: str
) -> None:
    files, targets, sentence = REFUSED[case]
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    status, said = make_server(sqlite_url, *targets).refuse()

    assert status == 1
    assert said.startswith("branchline cannot start: ")
    assert sentence in said
    assert said.count("\n") == 1

"""Definitions in files, read when the server starts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hosting.adapters.files.agent_files import read_agent_files
from hosting.domain.definition import AgentConfig, ChatClientConfig, ClientsConfig, MiddlewareConfig
from hosting.domain.errors import AgentFileRefused
from tests.harness.client import Client
from tests.harness.process import ServerProcess

MakeServer = Callable[..., ServerProcess]

POET = """+++
name = "The poet"
maxAgenticIterations = 5

[clients.chat]
providerKey = "openai"
modelName = "gpt-5-mini"

[[middlewares]]
name = "retry"
options = { maxRetries = 2 }
+++

Rhyme.

+++ is no end of anything here.
"""
ELSEWHERE = 'runtime = "worker"\nworkType = "verse"\n'

# Each is a file's name, its content, and what is said of it.
BAD_FILES: dict[str, tuple[str, bytes, str]] = {
    "no TOML": ("a.toml", b"name = ", "a.toml: this is no TOML: "),
    "a wrong member": ("a.toml", b"[clients.chat]\nproviderKey = 1", "at `clients.chat.providerKey`."),
    "an unknown member": ("a.toml", b"nonsense = 1", "a.toml: There is no member 'nonsense' - at `nonsense`."),
    "a date": ("a.toml", b"priority = 2026-01-01", "at `priority`."),
    "text without a config": ("a.md", b"Rhyme.", "a.md: it must begin with its config"),
    "a config without an end": ("a.md", b"+++\nname = 'x'\nRhyme.", "a.md: it must begin with its config"),
    "no TOML in front": ("a.md", b"+++\nname:\n+++\nRhyme.", "a.md: this is no TOML: "),
    "a wrong member in front": ("a.md", b"+++\ntools = 1\n+++\n", "at `tools`."),
    "instructions twice": ("a.md", b"+++\nsystemInstructions = 'x'\n+++\nRhyme.", "leave the member out"),
    "another encoding": ("a.toml", b"name = '\xff'", "a.toml: it is not UTF-8."),
    "a NUL": ("a.md", b"+++\n+++\na\x00b", "a.md: it holds a NUL character."),
    "a name that is no id": ("two words.toml", b"", "two words.toml: its name without the ending"),
    "too large a file": ("a.md", b"+++\n+++\n" + b"x" * (1 << 20), "a.md: it is larger than 1 MiB."),
}


def folder_with(path: Path, **files: str) -> Path:
    """Make a folder `agents` with files, `_` standing for the dot in their names."""
    folder = path / "agents"
    folder.mkdir()
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8")
    return folder


def test_a_file_is_a_config_and_a_text_with_a_config_in_front_too(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        poet_md=POET,
        painter_toml=ELSEWHERE,
        notes_txt="nothing",
        empty_md="+++\n+++\n",
        README_md="No agent.",
    )

    read = {file.agent_id: file.config for file in read_agent_files(folder)}

    poet = AgentConfig(
        name="The poet",
        max_agentic_iterations=5,
        clients=ClientsConfig(chat=ChatClientConfig(provider_key="openai", model_name="gpt-5-mini")),
        middlewares=(MiddlewareConfig(name="retry", options={"maxRetries": 2}),),
        system_instructions="Rhyme.\n\n+++ is no end of anything here.",
    )
    assert list(read) == ["empty", "painter", "poet"]
    assert read["empty"] == AgentConfig()
    assert (read["painter"].runtime, read["painter"].work_type) == ("worker", "verse")
    assert poet == read["poet"]


@pytest.mark.parametrize(("name", "content", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    folder = folder_with(tmp_path)
    (folder / name).write_bytes(content)

    with pytest.raises(AgentFileRefused) as refused:
        list(read_agent_files(folder))

    assert str(folder / name) in str(refused.value)
    assert said in str(refused.value)


def test_an_id_that_two_files_have_is_refused_with_both_of_their_names(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, poet_md=POET, poet_toml=ELSEWHERE)

    with pytest.raises(AgentFileRefused) as refused:
        list(read_agent_files(folder))

    assert str(refused.value).startswith(f"{folder / 'poet.toml'}: {folder / 'poet.md'} has the same name")


def test_without_a_folder_there_are_no_files(tmp_path: Path) -> None:
    assert list(read_agent_files(tmp_path / "nowhere")) == []


async def test_agents_in_files_are_listed_and_are_nobodys_to_change(
    make_server: MakeServer, sqlite_url: str, tmp_path: Path
) -> None:
    folder_with(tmp_path, painter_toml=ELSEWHERE, poet_toml='runtime = "worker"\nname = "The poet"\n')

    async with Client(make_server(sqlite_url).start().url, "painter") as client:
        listed = (await client.http.get("/agents")).json()
        shown = await client.http.get("/agents/poet")
        deleted = await client.http.delete("/agents/poet")
        sent = await client.send(await client.session(), "hello")

    about = {"source": "file", "runtime": "worker"}
    of_files = [{"id": "painter", "name": "painter", **about}, {"id": "poet", "name": "The poet", **about}]
    assert of_files == listed[1:]
    assert of_files[1] == shown.json()
    assert (deleted.status_code, deleted.json()["code"]) == (409, "agent-not-stored")
    assert (sent.status_code, sent.json()["status"]) == (202, "active")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("poet.toml", "priority = 0", "agents/poet.toml: This must be at least 1 - at `priority`."),
        ("demo.toml", ELSEWHERE, "agents/demo.toml: there is an agent 'demo' already."),
        ("poet.toml", 'tools = ["saw"]', "agents/poet.toml: This server has no tool 'saw' - at `tools[0]`."),
    ],
)
def test_a_server_does_not_start_with_a_bad_file(
    make_server: MakeServer, sqlite_url: str, tmp_path: Path, name: str, content: str, said: str
) -> None:
    (folder_with(tmp_path) / name).write_text(content, encoding="utf-8")

    status, told = make_server(sqlite_url).refuse()

    assert status == 1
    assert f"branchline cannot start: {said}" in told
    assert "Traceback" not in told


async def test_the_folder_can_be_another_one(make_server: MakeServer, sqlite_url: str, tmp_path: Path) -> None:
    folder_with(tmp_path, painter_toml="nonsense = 1")
    (tmp_path / "cast").mkdir()
    (tmp_path / "cast" / "sculptor.toml").write_text(ELSEWHERE)

    server = make_server(sqlite_url, agents_folder="cast").start()

    async with Client(server.url) as client:
        listed = (await client.http.get("/agents")).json()
    assert [agent["id"] for agent in listed] == ["demo", "sculptor"]

"""The pages about tools from elsewhere: what they show is a config that an agent can be built from."""

import json
from pathlib import Path
from typing import Final

import pytest

from hosting.adapters.files.agent_files import AgentFile, read_agent_files
from hosting.adapters.models.toolsets import toolsets_of
from hosting.domain.toolset_config import Leave, check_toolsets
from hosting.ports.tools import Tool
from tests.docs.pages import TOP, Page, Sample

PAGES: Final = [Page("docs/how-to/mcp.md"), Page("docs/how-to/openapi-tools.md")]
SAMPLES: Final = [sample for page in PAGES for sample in page.samples("toml")]
ENVIRONMENT: Final = {"TRACKER_TOKEN": "t", "LIBRARY_AUTHORIZATION": "Bearer b", "PETS_KEY": "p"}
ID: Final = {"name": "id", "in": "path", "schema": {"type": "string"}}
PETS: Final = {
    "openapi": "3.0.3",
    "paths": {"/pets/{id}": {"delete": {"operationId": "deletePet", "parameters": [ID]}}},
}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file_name)
def test_a_sample_is_a_file_that_an_agent_can_be_built_from(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, sample)
    monkeypatch.chdir(tmp_path)

    config = _read(tmp_path).config
    check_toolsets(config.toolsets, config.mcp_servers, config.open_api, leave=Leave())
    made = toolsets_of(config, [_tool("roll"), _tool("bet")], environment=ENVIRONMENT)

    assert len(made) == 1


def test_both_pages_have_samples() -> None:
    assert [len(page.samples("toml")) for page in PAGES] == [5, 2]


def _write(folder: Path, sample: Sample) -> None:
    files = {
        f"agents/{sample.file_name}": sample.text,
        "specs/pets.json": json.dumps(PETS),
        "docs/reference/openapi.json": (TOP / "docs" / "reference" / "openapi.json").read_text("utf-8"),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def _read(folder: Path) -> AgentFile:
    (file,) = read_agent_files(folder / "agents")
    return file


def _tool(name: str) -> Tool:
    async def work(context: object, arguments: object) -> None:
        """Do nothing."""

    return Tool(name, work)

"""What the page about definitions shows is what happens, with a model that says yes to everything."""

import json
from collections.abc import Callable

import pytest

from tests.docs.curl import Runner, WithHarness
from tests.docs.pages import Page
from tests.docs.walk import Walk
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Text

DEFINITIONS = Page("docs/how-to/definitions.md")


async def test_the_definitions_of_the_page_answer(
    walk: Callable[[Page, Runner], Walk], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeProvider() as provider, walk(DEFINITIONS, WithHarness()) as walked:
        provider.otherwise = lambda request: (Text("Yes."),)
        monkeypatch.setenv("OPENAI_BASE_URL", provider.openai)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
        (walked.folder / "agents").mkdir()
        for name, language in (("poet.toml", "toml"), ("critic.md", "text")):
            (sample,) = DEFINITIONS.samples(language)
            (walked.folder / "agents" / name).write_text(sample.text)

        await walked.go()
        told = [request.body["instructions"] for request in provider.requests]

    outputs = list(walked.outputs.values())
    poet, critic, created, listed, _, shown, revised, deleted = outputs
    assert ["Yes." in poet, "Yes." in critic] == [True, True]
    assert told == ["Answer in rhyme.", "You review poems.\n\n- Say what is good first.\n- Be brief."]
    about = {"id": json.loads(created)["id"], "version": 1, "metadata": {"team": "travel"}}
    assert about.items() <= json.loads(created).items()
    assert [agent["id"] for agent in json.loads(listed)] == ["demo", "critic", "poet", about["id"]]
    assert json.loads(created) == json.loads(shown)
    assert (json.loads(revised)["id"], json.loads(revised)["version"]) == (about["id"], 2)
    assert deleted == "204"

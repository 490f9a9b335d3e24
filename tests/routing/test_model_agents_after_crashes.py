"""Runs whose models were chosen among candidates, in servers that are killed and started with other definitions."""

from collections.abc import Callable
from pathlib import Path

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Hold, Text
from tests.routing.candidates import SETTINGS, observed, say_yes

NAMES = ("one", "two", "three", "four", "five")
_MODEL = """providerKey = "openai"
modelName = "{name}"
endpoint = "{endpoint}"
"""


def _write(folder: Path, endpoint: str, *names: str) -> None:
    """Write the definition of an agent whose models have these names."""
    own, *others = (_MODEL.format(name=name, endpoint=endpoint) for name in names)
    candidates = "".join(f"[[clients.chat.candidates]]\n{other}" for other in others)
    (folder / "agents").mkdir(exist_ok=True)
    (folder / "agents" / "routed.toml").write_text(f"[clients.chat]\n{own}{candidates}")


async def test_a_run_goes_on_with_its_model_after_kill_9_though_there_are_more_to_choose_among(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=2, sweep_seconds=0.1, **SETTINGS)
    async with FakeProvider() as provider:
        _write(server.folder, provider.openai, *NAMES)
        server.start()
        provider.otherwise = lambda request: (Text("Ye"), Hold())
        started = []
        async with Client(server.url, "routed") as client:
            for _ in range(3):
                session = await client.session()
                started.append((session, (await client.accepted(session, "Hello"))["runtimeRunId"]))
            before = [(await provider.request(number)).body["model"] for number in range(3)]

            server.kill()
        provider.otherwise = say_yes
        _write(server.folder, provider.openai, "new", *NAMES)
        server.start()

        async with Client(server.url, "routed") as client:
            runs = [await client.ended(session, run_id) for session, run_id in started]
            after = [request.body["model"] for request in provider.requests[3:]]
            assert [run["status"] for run in runs] == ["completed"] * 3
            assert sorted(before) == sorted(after)
            assert sorted(f"openai:{name}" for name in before) == sorted(
                each["provider"] for each in await observed(client, "routed")
            )


async def test_a_run_whose_model_is_no_candidate_any_more_fails_and_is_learnt_of(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, **{**SETTINGS, "routing_selector_enabled": "false"})
    async with FakeProvider() as provider:
        _write(server.folder, provider.openai, *NAMES)
        server.start()
        provider.otherwise = lambda request: (Text("Ye"), Hold())
        async with Client(server.url, "routed") as client:
            session = await client.session()
            run_id = (await client.accepted(session, "Hello"))["runtimeRunId"]
            await provider.request(0)

            server.kill()
        _write(server.folder, provider.openai, *NAMES[1:])
        server.start()

        async with Client(server.url, "routed") as client:
            run = await client.ended(session, run_id)
            (seen,) = await observed(client, "routed")
            assert (run["status"], run["error"]["type"]) == ("failed", "RunDiverged")
            assert "openai:one" in run["error"]["message"]
            assert (seen["provider"], seen["reward"]) == ("openai:one", 0)

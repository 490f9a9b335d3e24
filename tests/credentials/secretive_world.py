"""A server that holds every kind of secret, and rounds of requests that give it each of them, right and wrong."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.credentials.canaries import Canaries
from tests.credentials.safe import SNAPSHOT, Safe
from tests.credentials.watched_server import WatchedServer
from tests.fleet.gate import bearer
from tests.fleet.test_daemon_dialect import DAEMON
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Broken, Call, Drop, Hold, Raw, Status, Step, Text
from tests.harness.raw_store import RawStore

Json = dict[str, Any]

TENANT: Final = "canary"
REPOSITORY: Final = "https://git.example/canary/repository.git"
SPEC: Final[Json] = {"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": "a"}}}}


@dataclass
class World:
    """The server, whoever asks it, and what is looked for in all that it says."""

    server: WatchedServer
    safe: Safe
    provider: FakeProvider
    canaries: Canaries
    keys: dict[str, str]
    held: Hold = field(default_factory=Hold)
    leaks: list[str] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        """Let the provider answer as inputs say."""
        self.provider.otherwise = self._answer

    async def ask(
        self, who: str, method: str, path: str, *, status: int | Collection[int], but: Collection[str] = (), **sent: Any
    ) -> httpx.Response:
        """Make a request, look for secrets in its answer, other than those that it is there for, and return it."""
        headers = {"Content-Type": "application/json", **bearer(self.keys[who]), **sent.pop("headers", {})}
        async with self.safe.client() as http:
            answer = await http.request(method, path, headers=headers, **sent)
        self.requests += 1
        told = repr(answer.headers.raw).encode() + answer.content
        self.leaks += [f"{method} {path}: {found}" for found in self.canaries.found_in(told, but)]
        assert answer.status_code in ([status] if isinstance(status, int) else status), (
            f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        )
        return answer

    async def play_round(self, *, thorough: bool = True) -> None:
        """Give the server every secret, in requests that succeed and in such that fail in every way.

        One that is not thorough leaves out what a model is asked for again and again, which takes its time.
        """
        await self._doors()
        await self._credentials()
        agent = await self._definitions()
        await self._runs(agent, thorough=thorough)
        await self._bad_inputs(agent)
        await self._workers()
        await self._with_faults(agent)

    async def hold_a_run(self, agent: str) -> str:
        """Begin a run that does not end, with all that a run can be given, and let another wait behind it."""
        path, before = await self._branch(agent), len(self.provider.requests)
        await self.ask("user", "POST", f"{path}/inputs", status=202, json=self._input("hold"))
        await self.provider.request(before)
        waiting = {**self._input("ok"), "runningRunBehavior": "queue"}
        await self.ask("user", "POST", f"{path}/inputs", status=202, json=waiting)
        return path

    async def define(self) -> str:
        """Define an agent whose model and whose tools have secrets, and return its id."""
        body = {"name": "Keeper", "config": self._config()}
        return str((await self.ask("operator", "POST", "/agents", status=201, json=body)).json()["id"])

    async def look_around(self) -> None:
        """Look at what everybody on the machine can see, and at what is stored."""
        processes, stored = self.server.processes(), await self.server.stored()
        # Where its operator has put one; and the command that has one of its own.
        own = {"server": "variable key"} | dict.fromkeys(processes.keys() - {"server"}, "variable of a tool")
        for name, parts in processes.items():
            self.leaks += [f"arguments of {name}: {each}" for each in self.canaries.found_in(parts["cmdline"])]
            found = self.canaries.found_in(parts["environ"], [own[name]])
            self.leaks += [f"variables of {name}: {each}" for each in found]
        self.leaks += [f"stored: {found}" for found in self.canaries.found_in(stored)]
        self.look_at_log()
        # Else there was nothing to be found.
        assert len(processes) > 1
        assert b"@sealed" in stored

    def look_at_log(self) -> None:
        """Look at what the server has written."""
        written = self.server.errors.read_bytes() + self.server.said.encode()
        self.leaks += [f"written: {found}" for found in self.canaries.found_in(written)]

    async def _doors(self) -> None:
        secret = self.keys["user"]
        for shown in (
            f"Basic {secret}",
            f"Bearer {secret} {secret}",
            f"Bearer {secret}x",
            "Bearer rsk_live_" + "x" * 43,
        ):
            await self.ask("user", "GET", "/sessions", status=401, headers={"Authorization": shown})
        await self.ask("worker", "GET", "/sessions", status=403)
        await self.ask("user", "GET", "/credentials", status=403)
        await self.ask("user", "GET", "/sessions", status=200)
        await self.ask("user", "GET", "/no-such-path", status=404)
        await self.ask("user", "DELETE", "/sessions", status=405)

    async def _credentials(self) -> None:
        named = f"credential {self.requests}"
        value = self.canaries.new(named)
        for name in ("A_TOKEN", "PROVIDER_KEY"):
            text = value if name == "A_TOKEN" else self.keys["of provider"]
            await self.ask("operator", "PUT", f"/credentials/{name}", status=200, json={"value": text})
        for body in ({"value": [value]}, {"value": f"{value}\0"}, {"valu": value}, {"value": value * 2000}):
            await self.ask("operator", "PUT", "/credentials/B_TOKEN", status=400, json=body)
        cut = json.dumps({"value": value})[:-2]
        await self.ask("operator", "PUT", "/credentials/B_TOKEN", status=400, content=cut)
        await self.ask("operator", "PUT", "/credentials/WORKER_API_KEY", status=400, json={"value": value})
        await self.ask("operator", "GET", "/credentials", status=200)
        asked = {"orgId": TENANT, "projectId": "web"}
        given = (named, "provider key")
        await self.ask("worker", "POST", SNAPSHOT, status=200, but=given, json=asked)
        await self.ask("worker", "POST", SNAPSHOT, status=403, json=asked | {"orgId": "other"})
        await self.ask("operator", "GET", "/credentials/audit", status=200)
        await self.ask("operator", "POST", "/credentials/rekey", status=200)

    async def _definitions(self) -> str:
        agent = await self.define()
        await self.ask("user", "GET", f"/agents/{agent}", status=200)
        await self.ask("user", "GET", "/agents", status=200)
        await self.ask("operator", "PUT", f"/agents/{agent}", status=200, json={"config": self._config("Act again.")})
        config = self._config()
        server, service = config["mcpServers"][0], config["openApi"][0]
        wrong: Sequence[Json] = (
            {"mcpServers": [server, 7]},
            {"mcpServers": [{**server, "headers": {"A": [self.keys["of tool"]]}}]},
            {"mcpServers": [{**server, "headers": {"A": self.keys["of tool"] + "\n"}}]},
            {"mcpServers": [{**server, "headers": {"A": self.keys["of tool"] * 300}}]},
            {"mcpServers": [{**server, "url": f"ftp://x/?key={self.keys['of tool']}"}]},
            {"mcpServers": [{**server, "url": f"http://u:{self.keys['of tool']}@x/"}]},
            {"mcpServers": [{**server, "environment": {"A": self.keys["of tool"]}}]},
            {"openApi": [{**service, "headers": self.keys["of tool"]}]},
            {"openApi": [{**service, "baseUrl": f"http://x/?key={self.keys['of tool']}"}]},
        )
        for members in wrong:
            body = {"name": "Keeper", "config": {**config, **members}}
            await self.ask("user", "POST", "/agents", status=400, json=body)
        cut = json.dumps({"name": "Keeper", "config": config})[:-9]
        await self.ask("user", "POST", "/agents", status=400, content=cut)
        return agent

    async def _runs(self, agent: str, *, thorough: bool) -> None:
        tried_again = ("503", "garbled", "broken", "dropped") if thorough else ()
        for who, says in ((agent, ("ok", "401", "tool", *tried_again)), ("keeper", ("401", "time", *tried_again[:1]))):
            for said in says:
                path = await self._branch(who)
                await self.ask("user", "POST", f"{path}/inputs", status=202, json=self._input(said, own=who == agent))
                await self._until_idle(path)
        if thorough:
            path = await self._branch(agent)
            away = self._input("ok")
            away["runConfig"]["providerEndpoint"] = "http://127.0.0.1:9/v1"
            await self.ask("user", "POST", f"{path}/inputs", status=202, json=away)
            await self._until_idle(path)
        # Without a key of its own: the credential that the definition names.
        path = await self._branch(agent)
        await self.ask("user", "POST", f"{path}/inputs", status=202, json={"text": "401"})
        await self._until_idle(path)

    async def _bad_inputs(self, agent: str) -> None:
        path = await self._branch(agent)
        key = self.keys["of run"]
        for config in (
            {"apiKey": f"{key} {key}"},
            {"apiKey": [key]},
            {"apiKey": key, "useCache": True},
            {"customHeaders": {"x-custom": f"{key}\r\nx: y"}},
            {"customHeaders": {"x-custom": {"y": key}}},
            {"customHeaders": {"host": key}},
            {"providerEndpoint": f"http://u:{key}@x/v1"},
            {"apiKey": key, "providerKey": "no-such-provider", "modelId": "x"},
        ):
            await self.ask("user", "POST", f"{path}/inputs", status=400, json={"text": "x", "runConfig": config})
        cut = json.dumps(self._input("ok"))[:-2]
        await self.ask("user", "POST", f"{path}/inputs", status=400, content=cut)
        await self.ask(
            "user", "POST", "/agents/none/sessions/s/branches/main/inputs", status=404, json=self._input("ok")
        )

    async def _workers(self) -> None:
        body = {"hostname": "host", "capacity": 5, "projectId": "web", "note": self.keys["worker"]}
        registered = (await self.ask("worker", "POST", "/api/workers/register", status=201, json=body)).json()
        worker, token = registered["workerId"], registered["runtimeToken"]
        self.keys["token"] = token
        self.canaries.known(f"token of {worker}", token.rpartition(".")[2])
        cut = json.dumps(body)[:-2]
        await self.ask("worker", "POST", "/api/workers/register", status=400, content=cut)
        daemon = DAEMON | {"registrationToken": self.keys["worker"] + "x"}
        await self.ask("worker", "POST", "/v1/daemon/register", status=401, json=daemon)
        await self.ask("user", "POST", "/api/workers/register", status=403, json=body)
        path = f"/api/workers/{worker}"
        await self.ask("token", "GET", f"{path}/poll", status=200, but=["git token"])
        forged = {"Authorization": f"Bearer {token}x"}
        await self.ask("token", "GET", f"{path}/poll", status=401, headers=forged)
        await self.ask("token", "GET", "/sessions", status=403)
        await self.ask("token", "POST", SNAPSHOT, status=403, json={"orgId": TENANT, "projectId": "web"})
        await self.ask("shared", "POST", f"{path}/heartbeat", status=404, json={"activeCount": 0})
        await self.ask("worker", "GET", path, status=200)
        body = {"name": "far", "config": {"runtime": "worker", "workType": "research"}}
        agent = (await self.ask("operator", "POST", "/agents", status=201, json=body)).json()["id"]
        inputs = await self._branch(agent)
        await self.ask("user", "POST", f"{inputs}/inputs", status=202, json=self._input("ok"))
        found = await self.ask("token", "GET", f"{path}/poll", status=200, but=["git token"])
        for item in found.json()["work"]:
            taken = f"/api/sessions/{item['sessionId']}"
            await self.ask("token", "POST", f"{taken}/take", status=200, but=["run key", "header of run"], json={})
            await self.ask("token", "POST", f"{taken}/units", status=400, content=f'{{"x": "{token}')
        await self.ask("token", "DELETE", path, status=200)
        await self._interrupted(inputs)

    async def _with_faults(self, agent: str) -> None:
        path = await self._branch(agent)
        faults: dict[str, tuple[str, str, str, Json]] = {
            "messages": ("user", "POST", f"{path}/inputs", {"json": self._input("ok")}),
            "agent_versions": ("operator", "POST", "/agents", {"json": {"name": "K", "config": self._config()}}),
            "credentials": ("operator", "PUT", "/credentials/C_TOKEN", {"json": {"value": self.keys["of run"]}}),
        }
        for table, (who, method, where, sent) in faults.items():
            async with self._refusing(table):
                await self.ask(who, method, where, status=500, **sent)
        async with self.safe.without_table_of_keys():
            await self.ask("user", "GET", "/sessions", status={500, 503})

    @asynccontextmanager
    async def _refusing(self, table: str) -> AsyncIterator[None]:
        """Let the database take no row in a table; PostgreSQL says of one that it refuses what is in it."""
        store, on_sqlite = RawStore(self.server.database_url), self.server.database_url.startswith("sqlite")
        trigger = f"CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'fault'); END"
        await store.run(trigger if on_sqlite else f"ALTER TABLE {table} ADD CONSTRAINT fault CHECK (false) NOT VALID")
        yield
        await store.run("DROP TRIGGER fault" if on_sqlite else f"ALTER TABLE {table} DROP CONSTRAINT fault")

    async def _interrupted(self, path: str) -> None:
        await self.ask("user", "POST", f"{path}/interrupt", status=202, json={})

    async def _branch(self, agent: str) -> str:
        created = await self.ask("user", "POST", "/sessions", status=201, json={})
        return f"/agents/{agent}/sessions/{created.json()['id']}/branches/main"

    async def _until_idle(self, path: str) -> None:
        async with asyncio.timeout(60), self.safe.client(self.keys["user"]) as http:
            while (await http.get(f"{path}/runs")).json()[-1]["status"] in {"active", "queued"}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await self.ask("user", "GET", f"{path}/runs", status=200)
        _, sessions, rest = path.partition("/sessions")
        await self.ask("user", "GET", f"{sessions}{rest}/events", status=200)

    def _input(self, said: str, *, own: bool = True) -> Json:
        if not own:
            return {"text": said}
        headers = {"x-custom": self.keys["header of run"]}
        return {"text": said, "runConfig": {"apiKey": self.keys["of run"], "customHeaders": headers}}

    def _config(self, instructions: str = "Act.") -> Json:
        chat = {"providerKey": "openai", "modelName": "gpt-5-mini", "endpoint": self.provider.openai}
        tool = self.keys["of tool"]
        server = {"name": "shop", "url": f"http://127.0.0.1:9/mcp?key={tool}", "headers": {"Authorization": tool}}
        service = {"name": "pets", "baseUrl": self.provider.url, "spec": SPEC, "headers": {"X-Key": tool}}
        return {
            "systemInstructions": instructions,
            "clients": {"chat": {**chat, "credential": "PROVIDER_KEY"}},
            "mcpServers": [{**server, "startTimeoutSeconds": 1}],
            "openApi": [service],
        }

    def _answer(self, request: Request) -> tuple[Step, ...]:
        # What a provider, or a tool, should never do: it tells what it was shown.
        shown = json.dumps(request.headers)
        if request.body is None:
            return (Status(401, body={"error": f"Not with {shown}"}),)
        messages = request.messages()
        said = str(next(each["content"] for each in reversed(messages) if each["role"] == "user"))
        if messages[-1]["role"] == "tool":
            return (Text("Done."),)
        return tuple(self._steps(said, shown))

    def _steps(self, said: str, shown: str) -> Iterator[Step]:
        steps: dict[str, Sequence[Step]] = {
            "401": (Status(401, message=f"Incorrect API key provided: {shown}"),),
            "503": (Status(503, message=shown),),
            "garbled": (Raw(f"data: {{{shown}\n\n".encode()),),
            "broken": (Text("So "), Broken(message=shown)),
            "dropped": (Text("So "), Drop()),
            "tool": (Call("pets_a"),),
            "time": (Call("time_get_current_time", '{"timezone": "UTC"}'),),
            "hold": (Text("So "), self.held),
        }
        yield from steps.get(said, (Text("Yes."),))

"""Whose key a model is asked with: the tenant's, and never the server's for what another tenant has defined."""

import asyncio
from typing import Any

from hosting.domain.identity import Role
from tests.credentials.agency import SERVERS_OWN, Agency, failure
from tests.fleet.gate import bearer
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Hold, Text

Json = dict[str, Any]
OPENAI = {"providerKey": "openai", "modelName": "m"}
CHECKED = {**OPENAI, "credential": "MODEL_KEY"}
USUAL = "OPENAI_API_KEY"
UNSENDABLE = (
    "sk-CANARY\nbad",
    "sk-CANARY\r\nX-More: bad",
    "sk-CANARY-\N{OX}",
    "sk CANARY",
    "\x7fsk-CANARY",
    "\t",
    "\n",
)


def keys(provider: FakeProvider) -> list[str]:
    """Return the keys that the provider was asked with, in the order of the requests."""
    return [key_of(request) for request in provider.requests]


def key_of(request: Request) -> str:
    """Return the key of a request."""
    return request.headers.get("x-api-key") or request.headers["authorization"].removeprefix("Bearer ")


async def test_the_narrower_key_is_the_one_that_a_model_is_asked_with(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("MODEL_KEY", "sk-tenant")
        await own.keeper.set("MODEL_KEY", "sk-project", project="web")
        await own.keeper.set("MODEL_KEY", "sk-staging", environment="staging")
        session = await own.client.session()
        await own.keeper.set("MODEL_KEY", "sk-session", session=session)
        outside = await own.defined(CHECKED)
        inside = await own.defined({**CHECKED, "endpoint": provider.openai}, projectName="web")

        runs = [
            await own.run(outside),
            await own.run(inside),
            await own.run(outside, session=session),
            await own.run(inside, session=session),
        ]

    assert [run["status"] for run in runs] == ["completed"] * 4
    assert keys(provider) == ["sk-tenant", "sk-project", "sk-session", "sk-session"]
    assert "sk-" not in str(runs)
    assert not any(key in agency.server.errors.read_text() for key in keys(provider))


async def test_two_tenants_at_once_are_each_asked_for_with_their_own(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as one, agency.of(f"{tenant}-other") as other:
        agents = []
        for each, key in ((one, "sk-one"), (other, "sk-other")):
            await each.keeper.set("MODEL_KEY", key)
            agents.append(await each.defined(CHECKED))

        both = list(zip((one, other), agents, strict=True)) * 2
        await asyncio.gather(*(principal.run(agent, agent) for principal, agent in both))

    asked = {(request.messages()[-1]["content"], key_of(request)) for request in provider.requests}
    assert {(agents[0], "sk-one"), (agents[1], "sk-other")} == asked
    assert len(provider.requests) == 4


async def test_a_changed_key_counts_with_the_next_run_and_without_any_nothing_is_asked(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("MODEL_KEY", "sk-old")
        await own.keeper.set(USUAL, "sk-usual")
        agent = await own.defined(CHECKED)
        await own.run(agent)
        await own.keeper.set("MODEL_KEY", "sk-new")
        await own.run(agent)
        await own.keeper.delete("MODEL_KEY")
        gone = await own.run(agent)

    assert keys(provider) == ["sk-old", "sk-new"]
    assert (failure(gone)[0], "'MODEL_KEY'" in failure(gone)[1]) == ("CredentialMissing", True)
    assert "sk-" not in str(gone)


async def test_what_a_tenant_has_defined_is_never_asked_for_with_the_servers_key(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as own:
        refused = await own.define(OPENAI)
        await own.keeper.set(USUAL, "sk-usual")
        agent = await own.defined(OPENAI)
        await own.run(agent)
        elsewhere = await own.run(agent, config={"providerKey": "openai-responses", "modelId": "other"})
        await own.keeper.delete(USUAL)
        gone = await own.run(agent)
        asked = await own.client.http.post(
            f"/agents/{agent}/sessions/{gone['session']}/branches/main/inputs",
            json={"text": "Hello", "runConfig": {"providerKey": "openai", "modelId": "other"}},
        )

    assert (refused["status"], refused["code"]) == (400, "config-refused")
    assert "The provider openai needs the credential OPENAI_API_KEY" in refused["detail"]
    assert keys(provider) == ["sk-usual", "sk-usual"]
    assert (elsewhere["status"], provider.requests[1].path) == ("completed", "/v1/responses")
    assert failure(gone)[0] == "CredentialMissing"
    assert "The provider openai needs the credential OPENAI_API_KEY" in failure(gone)[1]
    assert (asked.status_code, asked.json()["code"]) == (400, "run-config-refused")
    assert "needs the credential OPENAI_API_KEY" in asked.json()["detail"]
    assert "CANARY" not in str([request.headers for request in provider.requests])


async def test_a_key_that_no_header_holds_fails_its_own_runs_and_closes_the_model_to_nobody(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as own, agency.of(f"{tenant}-other") as other:
        await own.keeper.set("MODEL_KEY", "sk-good")
        await other.keeper.set("MODEL_KEY", "sk-good")
        good, bad = await own.defined(CHECKED), await other.defined(CHECKED)
        failures = []
        for key in UNSENDABLE:
            await other.keeper.set("MODEL_KEY", key)
            failures.append(await other.run(bad))
        # More have failed than a model may before it is left alone.
        runs = [await own.run(good) for _ in range(2)]

    assert {run["status"] for run in runs} == {"completed"}
    assert [failure(run)[0] for run in failures] == ["CredentialUnusable"] * len(UNSENDABLE)
    assert all("MODEL_KEY" in failure(run)[1] for run in failures)
    assert "CANARY" not in str(failures) + agency.server.errors.read_text()
    assert keys(provider) == ["sk-good"] * 2


async def test_a_place_that_a_definition_names_gets_the_key_that_it_names_and_no_other(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set(USUAL, "sk-usual")
        await own.keeper.set("MODEL_KEY", "sk-named")
        silent = await own.defined({**OPENAI, "endpoint": provider.openai})
        named = await own.defined({**CHECKED, "endpoint": provider.openai})

        await own.run(silent)
        await own.run(named)
        await own.run(named, config={"chat": {"modelId": "other"}})
        await own.run(named, config={"providerEndpoint": provider.openai})
        await own.run(named, config={"apiKey": "sk-of-the-run"})

    assert keys(provider) == ["none", "sk-named", "sk-named", "none", "sk-of-the-run"]
    assert [request.body["model"] for request in provider.requests] == ["m", "m", "other", "m", "m"]


async def test_a_run_that_names_another_model_of_the_same_provider_has_the_same_key(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("MODEL_KEY", "sk-named")
        await own.keeper.set("ANTHROPIC_API_KEY", "sk-ant")
        agent = await own.defined(CHECKED)

        await own.run(agent, config={"providerKey": "openai", "modelId": "other"})
        await own.run(agent, config={"providerKey": "anthropic", "modelId": "claude-sonnet-4-5"})

    assert keys(provider) == ["sk-named", "sk-ant"]
    assert [request.body["model"] for request in provider.requests] == ["other", "claude-sonnet-4-5"]
    # Neither the server's token beside a tenant's key, nor its organization.
    assert "CANARY" not in str([request.headers for request in provider.requests])


async def test_agents_of_the_operator_have_the_servers_key_unless_the_tenant_has_one(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    async with agency.of(tenant) as own:
        for agent in ("assistant", "filed"):
            await own.run(agent)
        await own.keeper.set(USUAL, "sk-usual")
        for agent in ("assistant", "filed"):
            await own.run(agent)
        await own.run("filed", config={"providerKey": "openai", "modelId": "other"})

    assert keys(provider) == [SERVERS_OWN, SERVERS_OWN, "sk-usual", "sk-usual", "sk-usual"]


async def test_what_the_tenant_local_has_defined_has_the_servers_key_unless_it_has_one(
    agency: Agency, provider: FakeProvider
) -> None:
    async with agency.of("local") as own:
        agent = await own.defined(OPENAI)
        await own.run(agent)
        await own.keeper.set(USUAL, "sk-local")
        await own.run(agent)
        await own.keeper.delete(USUAL)
        await own.run(agent)

    assert keys(provider) == [SERVERS_OWN, "sk-local", SERVERS_OWN]


async def test_candidates_each_have_their_own_key(agency: Agency, tenant: str, provider: FakeProvider) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("ONE", "sk-one")
        await own.keeper.set("TWO", "sk-two")
        two = {**OPENAI, "modelName": "two", "credential": "TWO"}
        agent = await own.defined({**OPENAI, "credential": "ONE", "candidates": [two]})

        await own.run(agent)
        await own.run(agent, config={"providerKey": "openai", "modelId": "third"})
        bad = await own.define({**OPENAI, "credential": "ONE", "candidates": [{**two, "credential": "THREE"}]})

    assert keys(provider) == ["sk-one", "sk-one"]
    assert "/config/clients/chat/candidates/0/credential" in str(bad)


REFUSED = [
    (CHECKED, "/clients/chat/credential", "no credential MODEL_KEY"),
    ({**OPENAI, "credential": "no name"}, "/clients/chat/credential", "begins with no digit"),
    ({**OPENAI, "credential": "WORKER_API_KEY"}, "/clients/chat/credential", "WORKER_API_KEY"),
    ({**CHECKED, "apiKeyVariable": "HOME"}, "/clients/chat/apiKeyVariable", "operator"),
    ({**OPENAI, "providerKey": "gateway/openai", "credential": "KEY"}, "/clients/chat/providerKey", "no key"),
    ({**OPENAI, "providerKey": "opnai", "credential": "KEY"}, "/clients/chat/providerKey", "openai is meant"),
    ({**OPENAI, "providerKey": "opnai"}, "/clients/chat/providerKey", "openai is meant"),
    ({**OPENAI, "providerKey": "groq"}, "/clients/chat/providerKey", "GROQ_API_KEY"),
]


async def test_a_definition_is_refused_at_what_it_names_that_cannot_be(agency: Agency, tenant: str) -> None:
    async with agency.of(tenant) as own, agency.of(f"{tenant}-other") as other:
        await own.keeper.set("KEY", "CANARY")
        await own.keeper.set("MODEL_KEY", "CANARY", project="web")
        await own.keeper.set("MODEL_KEY", "CANARY", environment="staging")
        await other.keeper.set("MODEL_KEY", "CANARY")

        answers = [await own.define(chat) for chat, _, _ in REFUSED]
        for_workers = [await own.define(chat, runtime="worker") for chat, _, _ in REFUSED[:3]]

    for answer, (_, pointer, says) in zip([*answers, *for_workers], [*REFUSED, *REFUSED[:3]], strict=True):
        assert (answer["status"], answer["code"]) == (400, "config-refused")
        assert f"/config{pointer}" in str(answer)
        assert says in answer["detail"]


async def test_what_names_a_credential_is_stored_whatever_keys_the_server_has(agency: Agency, tenant: str) -> None:
    groq = {"providerKey": "groq", "modelName": "m"}
    async with agency.of(tenant) as own, agency.of("local") as local:
        session = await own.client.session()
        await own.keeper.set("KEY", "sk-any", session=session)
        await local.keeper.set("GROQ_API_KEY", "sk-any")

        named = await own.define({**groq, "credential": "KEY"})
        usual = await local.define(groq)
        revised = await own.client.http.put(
            f"/agents/{named['id']}", json={"config": {"clients": {"chat": {**groq, "credential": "NONE"}}}}
        )
        await local.keeper.delete("GROQ_API_KEY")
        gone = await local.run(usual["id"])

    assert (named["status"], usual["status"], revised.status_code) == (201, 201, 400)
    assert named["config"]["clients"]["chat"]["credential"] == "KEY"
    assert "needs GROQ_API_KEY in the server's environment" in failure(gone)[1]


async def test_a_run_that_was_cut_by_kill_nine_asks_with_the_key_of_now(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    provider.answers(Text("Let me"), Hold())
    async with agency.of(tenant) as own:
        await own.keeper.set("MODEL_KEY", "sk-old")
        agent = await own.defined(CHECKED)
        session = await own.client.session()
        own.client.agent = agent
        run = (await own.client.accepted(session, "Hello"))["runtimeRunId"]
        await provider.request(0)
        await own.keeper.set("MODEL_KEY", "sk-new")
    agency.kill_and_start()
    async with agency.of(tenant) as own:
        ended = await own.client.ended(session, run)

    assert (ended["status"], keys(provider)) == ("completed", ["sk-old", "sk-new"])


async def test_only_an_operator_has_a_credential_sent_to_an_address_of_the_definitions(
    agency: Agency, tenant: str, provider: FakeProvider
) -> None:
    elsewhere = {**CHECKED, "endpoint": provider.openai}
    async with agency.of(tenant) as own:
        await own.keeper.set("MODEL_KEY", "sk-tenant")
        agent = await own.defined(CHECKED)
        own.client.http.headers.update(bearer(await agency.key(tenant, Role.USER)))

        first = await own.define(elsewhere)
        second = await own.define({**OPENAI, "candidates": [elsewhere | {"modelName": "n"}]})
        body = {"config": {"clients": {"chat": elsewhere}}}
        revised = await own.client.http.put(f"/agents/{agent}", json=body)
        at_its_own = await own.define(CHECKED)

    told = [(each["status"], each["code"], each["pointer"]) for each in (first, second, revised.json())]
    chat = "/config/clients/chat"
    assert [pointer for _, _, pointer in told] == [
        f"{chat}/credential",
        f"{chat}/candidates/0/credential",
        f"{chat}/credential",
    ]
    assert {(status, code) for status, code, _ in told} == {(400, "config-refused")}
    assert at_its_own["status"] == 201
    assert keys(provider) == []

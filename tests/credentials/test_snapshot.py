"""The environment map that who runs workers takes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hosting.domain.identity import Role
from tests.credentials.safe import SNAPSHOT, Safe, bearer
from tests.harness.process import ServerProcess
from tests.harness.sqlite import sqlite_database
from tests.harness.worker import FleetWorker, define_worker_agent


async def test_the_narrower_layer_wins(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        session = (await operator.http.post("/sessions", json={})).json()["id"]
        everywhere = {"A": "org", "B": "org", "C": "org", "D": "org", "E": "org"}
        for name, value in everywhere.items():
            await operator.set(name, value)
        for name in "BCDE":
            await operator.set(name, "project", project="web")
        for name in "CDE":
            await operator.set(name, "environment", environment="production")
        for name in "DE":
            await operator.set(name, "both", project="web", environment="production")
        await operator.set("E", "session", session=session)

        of_session = await holder.env(sessionId=session, projectId="web")
        of_project = await holder.env(projectId="web")
        of_staging = await holder.env(projectId="web", envName="staging")
        of_another = await holder.env(projectId="api", envName="staging")
        of_no_project = await holder.env(sessionId=session)

    assert of_session == {"A": "org", "B": "project", "C": "environment", "D": "both", "E": "session"}
    assert of_project == {"A": "org", "B": "project", "C": "environment", "D": "both", "E": "both"}
    assert of_staging == {"A": "org", "B": "project", "C": "project", "D": "project", "E": "project"}
    assert of_another == everywhere
    assert of_no_project == {"A": "org", "B": "org", "C": "environment", "D": "environment", "E": "session"}


async def test_it_is_good_for_an_hour_and_comes_as_workers_know_it(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await operator.set("A", "x\ny ä")

        answer = await holder.ask(projectId="web", somethingElse="passed over")

    assert answer.headers["cache-control"] == "no-store"
    members = answer.json()
    until = datetime.fromisoformat(members.pop("refreshUntil")) - datetime.now(UTC)
    assert members == {"env": {"A": "x\ny ä"}}
    assert timedelta(minutes=59) < until <= timedelta(hours=1)


async def test_another_organization_is_refused_and_written_down_for_whose_key_it_was(safe: Safe, tenant: str) -> None:
    other = f"{tenant}-other"
    async with safe.operator(other) as theirs, safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await theirs.set("KEY", "theirs")
        real = await holder.http.post(SNAPSHOT, json={"orgId": other, "projectId": "web"})
        unreal = await holder.http.post(SNAPSHOT, json={"orgId": f"{tenant}-none", "projectId": "web"})
        (first, second) = await operator.audit(2)
        of_theirs = await theirs.audit(1)

    assert (real.status_code, real.json()["code"]) == (403, "forbidden")
    assert real.json() == unreal.json()
    assert (first["action"], first["asked"], first["by"]) == ("refused", other, holder.key_id)
    assert (second["asked"], second["names"]) == (f"{tenant}-none", [])
    assert [each["action"] for each in of_theirs] == ["set"]


async def test_nothing_of_another_tenant_is_in_it_not_even_by_its_session(safe: Safe, tenant: str) -> None:
    other = f"{tenant}-other"
    async with safe.operator(other) as theirs, safe.holder(tenant) as holder:
        session = (await theirs.http.post("/sessions", json={})).json()["id"]
        await theirs.set("A", "theirs")
        await theirs.set("B", "theirs", project="web")

        real = await holder.ask(sessionId=session)
        unreal = await holder.ask(sessionId="ses_none")
        env = await holder.env(projectId="web")

    assert (real.status_code, real.json()["message"]) == (404, "Session not found")
    assert real.json() == unreal.json()
    assert env == {}


async def test_a_worker_session_stands_for_its_session_and_its_project(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        async with safe.holder(tenant, "web") as of_web, safe.holder(tenant, "api") as of_api:
            item, session = await work(safe, tenant, "web")
            await operator.set("A", "org")
            await operator.set("B", "web", project="web")
            await operator.set("C", "session", session=session)

            env = await holder.env(sessionId=item)
            own = await of_web.env(sessionId=item)
            others = await of_api.ask(sessionId=item)
            another_project = await holder.ask(sessionId=item, projectId="api")

    assert env == own == {"A": "org", "B": "web", "C": "session"}
    assert (others.status_code, others.json()["code"]) == (404, "work-session-not-found")
    assert (another_project.status_code, another_project.json()["code"]) == (400, "invalid-request")


async def test_a_key_of_a_project_gets_what_is_its_projects_alone(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant, "web") as holder:
        session = (await operator.http.post("/sessions", json={})).json()["id"]
        await operator.set("A", "org")
        await operator.set("A", "web", project="web")
        await operator.set("A", "api", project="api")

        own = await holder.env(projectId="web")
        others = await holder.ask(projectId="api")
        of_users = await holder.ask(sessionId=session)
        of_users_in_it = await holder.ask(sessionId=session, projectId="web")

    assert own == {"A": "web"}
    assert (others.status_code, others.json()["code"]) == (403, "forbidden")
    assert [each.status_code for each in (of_users, of_users_in_it)] == [404, 404]


async def test_only_a_workers_own_key_opens_it(safe: Safe) -> None:
    body = {"orgId": "local", "projectId": "web"}
    shown = [await safe.token(), "old", await safe.key("local", Role.OPERATOR), await safe.key("local", Role.USER)]
    async with safe.client() as nobody:
        keyless = await nobody.post(SNAPSHOT, json=body)
        refused = [await nobody.post(SNAPSHOT, json=body, headers=bearer(each)) for each in shown]
        revoked = await safe.revoked_key("local", Role.WORKER)
        unknown = await nobody.post(SNAPSHOT, json=body, headers=bearer(revoked))

    assert [(each.status_code, each.json()["code"]) for each in (keyless, *refused)] == [(403, "forbidden")] * 5
    assert unknown.status_code == 401


async def test_a_session_or_a_project_must_be_named(safe: Safe, tenant: str) -> None:
    async with safe.holder(tenant) as holder:
        neither = await holder.ask()
        nobody = await holder.http.post(SNAPSHOT, json={"projectId": "web"})
        empty = await holder.ask(projectId="")

    assert [(each.status_code, each.json()["code"]) for each in (neither, nobody, empty)] == [
        (400, "invalid-request")
    ] * 3


async def test_what_is_null_or_empty_is_not_said(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder, safe.holder(tenant, "web") as of_web:
        session = (await operator.http.post("/sessions", json={})).json()["id"]
        await operator.set("A", "production", environment="production")
        unsaid: tuple[dict[str, str | None], ...] = (
            {"projectId": "web", "sessionId": "", "envName": None},
            {"projectId": "web", "sessionId": None, "envName": ""},
            {"projectId": "", "sessionId": session},
        )
        given = [await holder.http.post(SNAPSHOT, json={"orgId": tenant, **said}) for said in unsaid]
        nowhere = await of_web.ask(projectId="", sessionId="")

    assert [(each.status_code, each.json().get("env")) for each in given] == [(200, {"A": "production"})] * 3
    assert (nowhere.status_code, nowhere.json()["code"]) == (400, "invalid-request")


async def test_what_somebody_has_stored_as_text_cannot_be_read(tmp_path: Path, tenant: str) -> None:
    with ServerProcess(tmp_path, sqlite_database(tmp_path)) as server:
        safe = Safe(server, tmp_path / "none")
        async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
            await operator.set("KEY", "x")
            await safe.execute("UPDATE credentials SET sealed = 'a text' WHERE tenant = :own", own=tenant)
            answer = await holder.ask(projectId="web")
            rekeyed = await operator.http.post("/credentials/rekey")

    assert (answer.status_code, answer.json()["code"]) == (503, "credential-unreadable")
    assert rekeyed.status_code == 200


async def work(safe: Safe, tenant: str, project: str) -> tuple[str, str]:
    """Let a worker take a run of a session in a project; return the ids of the worker session and of the session."""
    client = await safe.tenant(tenant)
    async with client:
        client.agent = await define_worker_agent(client.http, projectName=project)
        session = await client.session()
        await client.accepted(session, "hello")
        worker = await FleetWorker.register(client.http, key=await safe.key(tenant, Role.WORKER, project))
        return str((await worker.claimed())["sessionId"]), session

"""Operators set, list and delete credentials; no answer of theirs has a value in it."""

import asyncio

from hosting.domain.credential import MOST_OF_TENANT
from tests.credentials.safe import Safe


async def test_what_is_set_is_listed_without_its_value_and_can_be_set_anew(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        first = await operator.set("KEY", "canary-1")
        again = await operator.set("KEY", "canary-2")
        await operator.set("KEY", "canary-3", project="web", environment="staging")
        await operator.set("A", "canary-4", environment="staging")
        listed = await operator.http.get("/credentials")
        env = await holder.env(projectId="web")

    shown = listed.json()["credentials"]
    assert "canary" not in listed.text
    assert [each.get("project") for each in shown] == [None, None, "web"]
    assert [each["name"] for each in shown] == ["A", "KEY", "KEY"]
    assert shown[1] == again
    assert set(again) == {"name", "keyId", "updatedAt"}
    assert first["updatedAt"] < again["updatedAt"]
    assert env == {"KEY": "canary-2"}


async def test_a_list_can_be_narrowed_to_a_layer(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator:
        session = (await operator.http.post("/sessions", json={})).json()["id"]
        await operator.set("A", "x")
        await operator.set("B", "x", project="web")
        await operator.set("C", "x", project="web", environment="staging")
        await operator.set("D", "x", session=session)

        found = [
            [each["name"] for each in await operator.listed(**layer)]
            for layer in ({}, {"project": "web"}, {"environment": "staging"}, {"session": session}, {"project": "x"})
        ]

    assert found == [["A", "B", "C", "D"], ["B", "C"], ["C"], ["D"], []]


async def test_what_is_deleted_leaves_the_broader_one(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await operator.set("A", "org")
        await operator.set("A", "web", project="web")

        await operator.delete("A", project="web")
        env = await holder.env(projectId="web")
        again = await operator.http.delete("/credentials/A", params={"project": "web"})
        never = await operator.http.delete("/credentials/no%20name")

    assert env == {"A": "org"}
    assert [(each.status_code, each.json()["code"]) for each in (again, never)] == [(404, "credential-not-found")] * 2


async def test_what_belongs_to_a_session_goes_with_it(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator:
        session = (await operator.http.post("/sessions", json={})).json()["id"]
        await operator.set("A", "x", session=session)

        await operator.http.delete(f"/sessions/{session}")
        left = await operator.listed()
        late = await operator.http.put("/credentials/A", params={"session": session}, json={"value": "x"})

    assert left == []
    assert (late.status_code, late.json()["code"]) == (404, "session-not-found")


async def test_another_tenants_credentials_are_not_there(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.operator(f"{tenant}-other") as other:
        session = (await operator.http.post("/sessions", json={})).json()["id"]
        await operator.set("A", "x")
        await operator.set("B", "x", session=session)

        listed = await other.listed()
        deleted = await other.http.delete("/credentials/A")
        of_session = await other.http.put("/credentials/B", params={"session": session}, json={"value": "x"})
        kept = await operator.listed()

    assert listed == []
    assert (deleted.status_code, of_session.status_code) == (404, 404)
    assert [each["name"] for each in kept] == ["A", "B"]


async def test_what_cannot_be_is_refused_without_its_value(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator:
        session = (await operator.http.post("/sessions", json={})).json()["id"]
        both = {"session": session, "project": "web"}
        refused = [
            await operator.http.put("/credentials/1A", json={"value": "canary"}),
            await operator.http.put("/credentials/WORKER_API_KEY", json={"value": "canary"}),
            await operator.http.put("/credentials/A", params={"project": " "}, json={"value": "canary"}),
            await operator.http.put("/credentials/A", params=both, json={"value": "canary"}),
            await operator.http.put("/credentials/A", json={"value": ""}),
            await operator.http.put("/credentials/A", json={"value": "canary" * 11_000}),
        ]
        malformed = [
            await operator.http.put("/credentials/A", json={"value": ["canary"]}),
            await operator.http.put("/credentials/A", json={"value": "canary\0"}),
            await operator.http.put("/credentials/A", json={"canary": "x"}),
            await operator.http.put("/credentials/A", content=b'{"value": "canary', headers=JSON),
            await operator.http.put("/credentials/A", content=b'{"value": "canary"} canary', headers=JSON),
            await operator.http.put("/credentials/A", content=b'{"value": "\\ud800canary"}', headers=JSON),
        ]
        listed = await operator.listed()

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(400, "credential-refused")] * 6
    assert [each.status_code for each in malformed] == [400] * 6
    assert [each.text for each in (*refused, *malformed[:2], *malformed[3:]) if "canary" in each.text] == []
    assert listed == []


async def test_one_more_than_a_tenant_may_have_is_refused(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator:
        shown = await operator.set("FIRST", "x")
        copies = ", ".join(f"(:tenant, 'l{at}', 'N', :sealed, :key, 0)" for at in range(MOST_OF_TENANT - 1))
        await safe.execute(
            f"INSERT INTO credentials (tenant, layer, name, sealed, key_id, updated_at) VALUES {copies}",
            tenant=tenant,
            sealed=b"x",
            key=shown["keyId"],
        )
        refused = await operator.http.put("/credentials/ONE_MORE", json={"value": "x"})
        again = await operator.http.put("/credentials/FIRST", json={"value": "y"})

    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-credentials")
    assert again.status_code == 200


async def test_a_server_whose_audit_is_away_keeps_credentials_all_the_same(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await safe.execute("ALTER TABLE credential_audit RENAME TO credential_audit_away")
        await operator.set("A", "x")
        env = await holder.env(projectId="web")
        await safe.execute("ALTER TABLE credential_audit_away RENAME TO credential_audit")
        await operator.set("B", "x")
        entries = await operator.audit(1)

    assert env == {"A": "x"}
    assert entries[-1]["names"] == ["B"]


async def test_many_who_set_and_delete_at_once_leave_a_whole_list_of_changes(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await asyncio.gather(*(operator.set(f"N{at % 5}", f"v{at}") for at in range(30)))
        await asyncio.gather(*(operator.http.delete(f"/credentials/N{at % 5}") for at in range(10)))
        left = await holder.env(projectId="web")
    numbers = [
        row[0] for row in await safe.execute("SELECT number FROM credential_changes WHERE tenant = :t", t=tenant)
    ]
    kinds = [row[0] for row in await safe.execute("SELECT kind FROM credential_changes WHERE tenant = :t", t=tenant)]

    assert left == {}
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert (kinds.count("set"), kinds.count("deleted") >= 5) == (30, True)


async def test_no_value_is_in_the_database_outside_of_what_is_sealed_nor_in_the_log(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await operator.set("KEY", f"canary-{tenant}")
        await holder.env(projectId="web")
        await operator.audit(2)

    rows = await safe.everything()
    assert tenant in repr(rows)
    assert f"canary-{tenant}" not in repr(rows)
    assert f"canary-{tenant}" not in safe.server.errors.read_text()


JSON = {"Content-Type": "application/json"}

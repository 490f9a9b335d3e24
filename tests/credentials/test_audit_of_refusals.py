"""Whoever asks for an environment map is in the audit, also when it is given none; so are runs that are given one."""

from tests.credentials.agency import Agency
from tests.credentials.safe import Safe
from tests.credentials.work import work_of


async def test_what_was_refused_is_written_down_with_where_it_was_for(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant, "web") as holder:
        await operator.set("KEY", "CANARY", project="api")
        answers = [
            await holder.ask(projectId="api"),
            await holder.ask(sessionId="ses_none", envName="staging"),
            await holder.ask(),
        ]
        entries = await operator.audit(4)

    assert [each.status_code for each in answers] == [403, 404, 400]
    assert [(each["action"], each["by"], each["names"]) for each in entries[1:]] == [("refused", holder.key_id, [])] * 3
    assert [(each.get("project"), each["environment"], each.get("session")) for each in entries[1:]] == [
        ("api", "production", None),
        (None, "staging", "ses_none"),
        (None, "production", None),
    ]


async def test_what_could_not_be_read_is_written_down_as_failed(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await operator.set("KEY", "CANARY")
        await safe.execute("UPDATE credentials SET sealed = :junk WHERE tenant = :own", junk=b"junk", own=tenant)
        answer = await holder.ask(projectId="web")
        entries = await operator.audit(2)

    assert (answer.status_code, answer.json()["code"]) == (503, "credential-unreadable")
    assert (entries[1]["action"], entries[1]["project"], entries[1]["by"]) == ("failed", "web", holder.key_id)
    assert "CANARY" not in repr(entries)


async def test_a_worker_that_asks_for_another_ones_session_is_written_down(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, work_of(safe, tenant) as own, work_of(safe, tenant) as other:
        path = f"/api/sessions/{other.item}/credentials"
        refused = await own.client.http.get(path, headers=own.headers)
        (entry,) = await operator.audit(1)

    assert refused.status_code == 403
    assert (entry["action"], entry["by"], entry["session"]) == ("refused", own.worker.id, other.item)


async def test_what_a_run_takes_is_written_down_once_with_the_run(agency: Agency, tenant: str) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("KEY", "CANARY")
        missing = await own.run("teller", "NONE")
        given = [await own.run("teller", "KEY") for _ in range(2)]
        twice = await own.run("asker", "KEY")
        entries = await own.keeper.audit(4)

    assert [each["said"] for each in given] == ["CANARY"] * 2
    assert missing["status"] == "failed"
    assert [(each["action"], each["by"], each["names"]) for each in entries] == [
        ("set", entries[0]["by"], ["KEY"]),
        *(("used", run["runtimeRunId"], ["KEY"]) for run in (*given, twice)),
    ]
    assert entries[1]["session"] == given[0]["session"]
    assert "CANARY" not in repr(entries)

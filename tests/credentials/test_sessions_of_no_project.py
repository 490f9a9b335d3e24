"""A session of no project is its worker's project's while that has it, and no key of a project opens it afterwards."""

from tests.credentials.safe import STREAM, Safe
from tests.credentials.work import work_of


async def test_it_is_open_to_the_project_of_its_worker_until_it_has_ended(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, work_of(safe, tenant, "web") as work:
        await operator.set("KEY", "CANARY", session=work.session)
        async with safe.holder(tenant, "web") as web, safe.holder(tenant, "api") as api, safe.holder(tenant) as all_:
            hands = (web, api, all_)
            during = [(await each.ask(sessionId=work.item)).status_code for each in hands]
            await work.end()
            after = [await each.ask(sessionId=work.item) for each in hands]
            following = [await each.http.get(STREAM, params={"sessionId": work.item}) for each in (web, api)]
            async with all_.following(work.item) as updates:
                await operator.set("KEY", "CANARY-2", session=work.session)
                heard = await updates.update()

    assert during == [200, 404, 200]
    assert [each.status_code for each in after] == [404, 404, 200]
    assert [each.status_code for each in following] == [404, 404]
    assert "CANARY" not in after[0].text + after[1].text
    assert heard is not None
    assert heard["names"] == ["KEY"]

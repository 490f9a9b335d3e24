"""A parameter that is passed over would widen a layer, so none is."""

import pytest

from tests.credentials.safe import Safe
from tests.credentials.work import work_of

WRONG = ("projectId=web", "project=web&project=api", "PROJECT=web", "pro%6Aect=web&project=web", "x", "=x")
ENVIRONMENTS = (
    "envName=staging",
    "environment=a&environment=b",
    "environment=%00",
    "environment=a%00b",
    "environment=",
)


@pytest.mark.parametrize("query", WRONG)
async def test_one_that_is_unknown_or_said_twice_is_refused_and_nothing_is_done(
    safe: Safe, tenant: str, query: str
) -> None:
    async with safe.operator(tenant) as operator:
        await operator.set("KEPT", "x")
        answers = [
            await operator.http.put(f"/credentials/NEW?{query}", json={"value": "x"}),
            await operator.http.delete(f"/credentials/KEPT?{query}"),
            await operator.http.get(f"/credentials?{query}"),
        ]
        left = await operator.listed()

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(400, "invalid-request")] * 3
    assert [each["name"] for each in left] == ["KEPT"]


async def test_a_name_that_is_spelt_otherwise_in_the_address_is_the_same_one(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator:
        answer = await operator.http.put("/credentials/A?pro%6Aect=web&", json={"value": "x"})

    assert (answer.status_code, answer.json()["project"]) == (200, "web")


async def test_the_map_of_a_run_is_of_the_environment_that_is_meant_and_no_cache_keeps_it(
    safe: Safe, tenant: str
) -> None:
    async with safe.operator(tenant) as operator:
        await operator.set("KEY", "staging", environment="staging")
        async with work_of(safe, tenant) as work:
            path = f"/api/sessions/{work.item}/credentials"
            refused = [await work.client.http.get(f"{path}?{each}", headers=work.headers) for each in ENVIRONMENTS]
            given = await work.client.http.get(f"{path}?environment=staging", headers=work.headers)

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(400, "invalid-request")] * 5
    assert (given.json()["env"], given.headers["cache-control"]) == ({"KEY": "staging"}, "no-store")

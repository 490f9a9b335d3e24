"""By which names the fleet's server is asked, and which name it gives itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hosting.settings import Settings, SettingsRefused
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent

REBOUND = {"Host": "rebound.example"}


async def test_no_page_of_another_site_claims_work_and_workers_are_told_the_configured_address(
    make_server: Callable[..., ServerProcess], sqlite_url: str, key_file: Path
) -> None:
    server = make_server(sqlite_url, key_file=key_file, public_url="https://fleet.example/").start()
    async with Client(server.url) as client:
        client.agent = await define_worker_agent(client.http)
        await client.http.post("/api/work/lanes/kg-extract", json={})
        worker = await FleetWorker.register(client.http, capabilities=["kg-extract"])
        await client.accepted(await client.session(), "Do it.")
        path = f"/api/workers/{worker.id}/poll"

        rebound = await client.http.get(path, headers=REBOUND)
        pages = [await client.http.get(path, headers={"Sec-Fetch-Site": site}) for site in ("cross-site", "same-site")]
        head = await client.http.head(path, headers={"Sec-Fetch-Site": "cross-site"})
        own_name = await client.http.get("/sessions", headers={"Host": "fleet.example"})
        untouched = (await client.http.get("/api/workers")).json()["summary"]
        polled = (await client.http.get(path, headers=worker.headers | REBOUND | {"Sec-Fetch-Site": "none"})).json()

    assert (rebound.status_code, rebound.json()["code"]) == (401, "unauthenticated")
    assert [each.status_code for each in (*pages, head)] == [403, 403, 403]
    assert own_name.status_code == 200
    assert (untouched["totalActive"], untouched["queueLength"]) == (0, 1)
    assert [item["prompt"] for item in polled["work"]] == ["Do it."]
    endpoints = [each["resultEndpoint"] for each in polled.get("kgExtractWork", [])]
    assert endpoints == ["https://fleet.example/api/factory/kg-extraction/results"]


def test_a_public_address_is_a_scheme_a_host_and_perhaps_a_port() -> None:
    taken = [Settings(public_url=text).public_url for text in ("https://Fleet.example/", "http://10.0.0.7:8080")]

    assert taken == ["https://fleet.example", "http://10.0.0.7:8080"]
    for text in ("fleet.example", "ftp://fleet.example", "https://fleet.example/path", "https://me@fleet.example", ""):
        with pytest.raises(SettingsRefused, match="public_url cannot be"):
            Settings(public_url=text)

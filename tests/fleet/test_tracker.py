"""What workers ask an issue tracker for: of a host program's own, or told that there is none."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from hosting import create_app
from hosting.ports.tracker import TrackerAnswer, TrackerRefused
from hosting.settings import Settings
from tests.edge.in_process import in_process
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import bearer
from tests.harness.worker import FleetWorker

PATH = "/api/issue-tracker-proxy"
MALFORMED = [
    ("", "invalid_request"),
    ("{", "invalid_request"),
    ("[]", "invalid_request"),
    ("{}", "invalid_request"),
    ('{"method": ""}', "invalid_request"),
    ('{"method": 5}', "invalid_request"),
    ('{"method": "getIssue", "args": {}}', "invalid_request"),
    ('{"method": "dropDatabase", "args": []}', "unknown_method"),
    ('{"method": "getissue", "args": []}', "unknown_method"),
]


class Notebook:
    """A tracker that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, list[Any]]] = []

    async def ask(self, tenant: str, method: str, arguments: Sequence[Any]) -> TrackerAnswer:
        """Answer what it can."""
        self.asked.append((tenant, method, list(arguments)))
        if method == "getViewer":
            raise TrackerRefused("rate_limited", "Ask later.", is_retryable=True)
        if method == "getTeam":
            raise OSError("/etc/tracker: no such file")
        return TrackerAnswer({"id": arguments[0]}, {"remaining": 5})


@asynccontextmanager
async def tracked(url: str, tracker: Notebook | None) -> AsyncIterator[tuple[httpx.AsyncClient, FleetWorker]]:
    """Open an application that has a tracker, and register a worker."""
    settings = Settings(database_url=url, worker_api_key=SHARED_KEY)
    async with in_process(create_app(settings=settings, tracker=tracker)) as client:
        yield client, await FleetWorker.register(client)


async def test_a_call_and_its_answer_go_through_a_host_programs_tracker(sqlite_url: str) -> None:
    notebook = Notebook()
    async with tracked(sqlite_url, notebook) as (client, worker):
        found = await client.post(PATH, json={"method": "getIssue", "args": ["A-1"]}, headers=worker.headers)
        later = await client.post(PATH, json={"method": "getViewer"}, headers=bearer(SHARED_KEY))
        broken = await client.post(PATH, json={"method": "getTeam", "args": []}, headers=worker.headers)

    assert (found.status_code, found.json()) == (
        200,
        {"success": True, "data": {"id": "A-1"}, "quota": {"remaining": 5}},
    )
    assert (later.status_code, later.json()["success"]) == (200, False)
    assert later.json()["error"] == {"code": "rate_limited", "message": "Ask later.", "retryable": True}
    assert (broken.json()["error"]["code"], broken.json()["error"]["retryable"]) == ("tracker_failed", True)
    assert "/etc" not in broken.text
    assert notebook.asked == [
        ("local", "getIssue", ["A-1"]),
        ("local", "getViewer", []),
        ("local", "getTeam", []),
    ]


async def test_what_is_malformed_or_of_another_organization_reaches_no_tracker(sqlite_url: str) -> None:
    notebook = Notebook()
    async with tracked(sqlite_url, notebook) as (client, worker):
        headers = worker.headers | {"Content-Type": "application/json"}
        for body, code in MALFORMED:
            answer = await client.post(PATH, content=body, headers=headers)
            assert answer.status_code == 400, body
            assert answer.json()["error"]["code"] == code
            assert answer.json()["error"]["message"] == answer.json()["message"] != ""
        other = await client.post(PATH, json={"method": "getIssue", "organizationId": "theirs"}, headers=headers)

    assert (other.status_code, other.json()["error"]["code"]) == (403, "forbidden")
    assert notebook.asked == []


async def test_without_a_tracker_workers_are_told_so_in_their_shape(sqlite_url: str) -> None:
    async with tracked(sqlite_url, None) as (client, worker):
        answer = await client.post(PATH, json={"method": "getIssue", "args": ["A-1"]}, headers=worker.headers)

    assert answer.status_code == 200
    assert answer.json()["success"] is False
    assert answer.json()["error"]["code"] == "not_configured"
    assert answer.json()["error"]["retryable"] is False

"""Something to ask about the fleet: a worker that has a session, and one that it has ended, while a third one waits."""

from typing import Any

import requests

from hosting.api.fleet.activity import TYPES
from hosting.api.fleet.tracker import METHODS
from tests.fuzz.scene import Place, Scene, post

QUESTION = "ask-1"
STATES = ("running", "finalizing", "completed", "failed", "stopped")
HOST_STATES = ("ok", "pool_draining")


def prepare_fleet(http: requests.Session, base: str) -> Scene:
    """Register a worker for an agent of its own, and let it work."""
    agent = post(http, f"{base}/agents", {"name": "Elsewhere", "config": {"runtime": "worker"}})["id"]
    for text in ("One.", "Two.", "Three."):
        session = post(http, f"{base}/sessions", {})["id"]
        post(http, f"{base}/agents/{agent}/sessions/{session}/branches/main/inputs", {"text": text})
    worker = post(http, f"{base}/api/workers/register", {"hostname": "host", "capacity": 2, "agentIds": [agent]})
    ended, held = (item["sessionId"] for item in _poll(http, base, worker)["work"])
    post(http, f"{base}/api/sessions/{ended}/status", {"workerId": worker["workerId"], "status": "completed"})
    post(http, f"{base}/api/sessions/{held}/interactions", _question(worker["workerId"]))
    issue = f"{session}.main"
    other = post(http, f"{base}/api/workers/register", {"hostname": "host", "capacity": 1, "agentIds": [agent]})
    (waiting,) = (item["sessionId"] for item in _poll(http, base, other)["work"])
    post(http, f"{base}/api/sessions/{waiting}/nack", {"workerId": other["workerId"]})
    return Scene(
        places=[_place(worker["workerId"], session) for session in (held, held, held, ended, waiting, issue)],
        values=_values(worker["workerId"], other["workerId"], held),
        token=worker["runtimeToken"],
    )


def _place(worker: str, session: str) -> Place:
    return {"worker_id": worker, "session_id": session, "request_id": QUESTION, "lane": "landing"}


def _poll(http: requests.Session, base: str, worker: dict[str, Any]) -> dict[str, Any]:
    response = http.get(f"{base}/api/workers/{worker['workerId']}/poll")
    assert response.ok, response.text
    polled: dict[str, Any] = response.json()
    return polled


def _question(worker: str) -> dict[str, Any]:
    return {"workerId": worker, "type": "CLARIFICATION_REQUEST", "requestId": QUESTION, "question": "why?"}


def _values(worker: str, other: str, held: str) -> dict[str, list[Any]]:
    return {
        "workerId": [worker, worker, other],
        "worker": [worker],
        "newWorkerId": [other],
        "oldWorkerId": [worker],
        "sessionId": [held],
        "requestId": [QUESTION, "ask-2"],
        "status": [*STATES, *HOST_STATES],
        "type": [*TYPES, "CLARIFICATION_REQUEST", "CONTINUATION_REQUEST"],
        "method": list(METHODS),
        "lane": ["urgent", "normal"],
        "filePath": ["a.txt", "b.txt"],
        "claim": [1],
        "batch": [1],
        "repoId": ["example/verse"],
        "url": ["https://log.example"],
    }

"""Something to ask about: a session in which every route finds what it is for."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

COMMANDS = ("hi", "/tool", "/permission", "/parallel", "/clarify", "/continue", "/client-tool", "/fail", "/slow 1")
LATEST_LIFE = 999_999


Place = dict[str, str]
"""The ids that go together in a path, by the names of its parameters."""


@dataclass
class Scene:
    """A session; `values` are those that are worth sending, by the member or parameter that they go into.

    `token` is that of a worker, where there is one.
    """

    places: list[Place] = field(default_factory=list)
    token: str = ""
    values: dict[str, list[Any]] = field(default_factory=dict)


class Scenes:
    """One scene after the other; each is for so many requests, for those that delete wear it out."""

    def __init__(self, prepare: Callable[[], Scene], lasts: int) -> None:
        self._prepare, self._lasts = prepare, lasts
        self._left = 0
        self._scene = Scene()

    def current(self) -> Scene:
        """Return the scene of the next request."""
        if self._left == 0:
            self._scene, self._left = self._prepare(), self._lasts
        self._left -= 1
        return self._scene


def prepare_scene(http: requests.Session, base: str) -> Scene:
    """Make a session with a run that has ended, a fork, a run that asks and an input that waits; and an idle one.

    There is a definition as well, whose runs are for workers.
    """
    idle, session = (post(http, f"{base}/sessions", {})["id"] for _ in range(2))
    branch = f"{base}/agents/demo/sessions/{session}/branches/main"
    ended = post(http, f"{branch}/inputs", {"text": "hi"})
    eventually(lambda: http.get(f"{branch}/runs/{ended['runtimeRunId']}").json()["status"] == "completed")
    fork = post(http, f"{branch}/fork", {"fromMessageId": ended["messageId"]})["id"]
    post(http, f"{branch}/inputs", {"text": "/permission"})
    question = eventually(lambda: http.get(f"{branch}/interactions").json())[0]
    queued = post(http, f"{branch}/inputs", {"text": "next", "runningRunBehavior": "queue"})
    runs = [ended["runtimeRunId"], queued["runtimeRunId"]]
    defined = post(http, f"{base}/agents", {"name": "Elsewhere", "config": {"runtime": "worker"}})["id"]
    contents = {each: _upload(http, f"{base}/sessions/{each}/content") for each in (idle, session)}
    epoch = ended["position"].partition(".")[0]
    return Scene(
        places=[
            {"agent_id": agent_id, "session_id": session_id, "branch_id": branch_id, "run_id": run, "name": "VERSE_KEY"}
            | {"content_id": contents[session_id]}
            for agent_id, session_id, branch_id, run in (
                ("demo", session, "main", runs[0]),
                ("demo", session, "main", runs[1]),
                ("demo", session, fork, runs[0]),
                ("demo", idle, "main", runs[0]),
                (defined, idle, "main", runs[0]),
            )
        ],
        values={
            "sessionId": [session],
            "session": [session],
            "branchId": ["main", fork],
            "newBranchId": ["main", fork],
            "fromMessageId": [ended["messageId"]],
            "messageId": [ended["messageId"]],
            "permissionId": [question["requestId"]],
            "requestId": [question["requestId"]],
            "continuationId": [question["requestId"]],
            "eventFlowId": [question["request"]["eventFlowId"]],
            "after": [ended["position"], question["position"], f"{epoch}.{LATEST_LIFE}"],
            "text": list(COMMANDS),
            "config": [{"runtime": "worker"}, {"runtime": "worker", "priority": 1}],
        },
    )


def post(http: requests.Session, url: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post a body that must be taken, and return the answer."""
    response = http.post(url, json=body)
    assert response.ok, response.text
    answer: dict[str, Any] = response.json()
    return answer


def eventually(look: Callable[[], Any], *, seconds: float = 10) -> Any:
    """Look until there is something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.01)
    return found


def _upload(http: requests.Session, url: str) -> str:
    """Upload a file, and return its id."""
    answer = http.post(url, files={"file": ("a.txt", b"hello")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["contentId"])

"""A body that every route of the fleet takes; but for two, they pass over what is not theirs."""

from typing import Any

Json = dict[str, Any]

LANE_WORK: Json = {
    "attributionId": "attribution-1",
    "checkpoint": "30d",
    "prRepo": "example/verse",
    "prNumber": 7,
    "mergeSha": "c0ffee",
    "repoId": "example/verse",
}


def fleet_report(path: str, worker: str = "wrk_1", key: str = "none") -> Json:
    """Return what a route can be told by a worker; `key` is what it registers with, as a daemon does."""
    if path.endswith("/mutations"):
        return {"op": "project.enable", "params": {"projectId": "verse"}}
    if path.endswith("/host-status"):
        return {"status": "ok"}
    if path.endswith("/refresh-token"):
        return {}
    if path.endswith("/credentials/snapshot"):
        return {"orgId": "local", "projectId": "verse"}
    if path.endswith("/credentials/rotate"):
        return {"orgId": "local", "kind": "github"}
    who = {"workerId": worker, "newWorkerId": worker, "oldWorkerId": "wrk_2", "registrationToken": key}
    return {**who, "hostname": "host", "maxAgents": 2, "activeCount": 0, **_OF_A_SESSION, **LANE_WORK}


_OF_A_SESSION: Json = {
    "status": "running",
    "activity": {"type": "thought", "content": "hm"},
    "summary": "done",
    "message": "half of it",
    "externalUrls": [{"label": "log", "url": "https://log.example"}],
    "filePaths": ["a.txt"],
    "method": "getIssue",
    "messageId": "ibx_none",
    "lane": "urgent",
    "type": "CLARIFICATION_REQUEST",
    "question": "why?",
    "turnId": "turn-0",
    "frames": [{"index": 0, "text": "a", "done": False}],
    "sessions": [],
    "claim": 1,
    "batch": 1,
    "prompt": "Look again.",
    "provider": "claude",
    "candidates": ["claude"],
    "workType": "research",
    "reward": 1,
}

"""Runs that a worker has."""

import msgspec

from benchmarks.scenarios.target import Target
from benchmarks.wire import get, post


def worker_agent(port: int) -> str:
    """Define an agent whose runs are for workers, and return its id."""
    made = post(port, "/agents", {"name": "relayed", "config": {"runtime": "worker", "workType": "interview"}})
    return str(msgspec.json.decode(made.body)["id"])


def claimed(target: Target, branches: list[str]) -> tuple[str, list[str]]:
    """Have a worker claim a run on each branch; return its token, and the ids of its sessions."""
    for branch in branches:
        post(target.port, target.inputs_path(branch), {"text": "Say something."})
    said = {"hostname": "bench", "capacity": len(branches)}
    worker = msgspec.json.decode(post(target.port, "/api/workers/register", said).body)
    sessions: list[str] = []
    while len(sessions) < len(branches):
        polled = msgspec.json.decode(get(target.port, f"/api/workers/{worker['workerId']}/poll"))
        if not polled["work"]:
            raise RuntimeError(f"Only {len(sessions)} of {len(branches)} runs were claimed.")
        sessions += polled["claimedSessionIds"]
    return worker["runtimeToken"], sessions

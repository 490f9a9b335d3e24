"""What other clients do to the run that a command shows."""

from typing import Any

import httpx


class Elsewhere:
    """Another client of one branch."""

    def __init__(self, url: str, session: str = "s1", agent: str = "demo") -> None:
        self._branch = f"{url}/agents/{agent}/sessions/{session}/branches/main"

    def start(self, text: str, **members: Any) -> str:
        """Send an input and return its run."""
        accepted = httpx.post(f"{self._branch}/inputs", json={"text": text, **members})
        assert accepted.status_code == 202, accepted.text
        run: str = accepted.json()["runtimeRunId"]
        return run

    def open(self) -> list[dict[str, Any]]:
        """Return the questions that wait."""
        questions: list[dict[str, Any]] = httpx.get(f"{self._branch}/interactions").raise_for_status().json()
        return questions

    def answer(self, place: int = 0, **members: Any) -> None:
        """Answer a question, the oldest one unless told otherwise."""
        asked = self.open()[place]
        names = {"PERMISSION_REQUEST": "permissionId", "CONTINUATION_REQUEST": "continuationId"}
        key = names.get(asked["type"], "requestId")
        envelope = {"type": asked["expectedResponseType"], key: asked["requestId"], **members}
        answered = httpx.post(f"{self._branch}/responses", json=envelope)
        assert answered.status_code == 200, answered.text

    def interrupt(self, **members: Any) -> None:
        """Interrupt the run, or a part of it."""
        interrupted = httpx.post(f"{self._branch}/interrupt", json=members)
        assert interrupted.status_code == 202, interrupted.text

    def statuses(self) -> dict[str, str]:
        """Return how the runs of the branch stand."""
        runs = httpx.get(f"{self._branch}/runs").raise_for_status().json()
        return {run["runtimeRunId"]: run["status"] for run in runs}

    def log(self) -> list[dict[str, Any]]:
        """Return the events of the branch."""
        events: list[dict[str, Any]] = httpx.get(f"{self._branch}/events").raise_for_status().json()
        return events

    def types(self) -> list[str]:
        """Return the types of the events of the branch."""
        return [event["type"] for event in self.log()]

"""What other clients do to the run that a command shows."""

from typing import Any

import httpx


class Elsewhere:
    """Another client of one branch."""

    def __init__(self, url: str, session: str = "s1", agent: str = "demo") -> None:
        self._branch = f"{url}/agents/{agent}/sessions/{session}/branches/main"

    def start(self, text: str, **members: Any) -> str:
        """Send an input and return its run."""
        accepted = self._ask("POST", "inputs", {"text": text, **members})
        assert accepted.status_code == 202, accepted.text
        run: str = accepted.json()["runtimeRunId"]
        return run

    def open(self) -> list[dict[str, Any]]:
        """Return the questions that wait."""
        questions: list[dict[str, Any]] = self._ask("GET", "interactions").json()
        return questions

    def answer(self, place: int = 0, **members: Any) -> None:
        """Answer a question, the oldest one unless told otherwise."""
        asked = self.open()[place]
        names = {"PERMISSION_REQUEST": "permissionId", "CONTINUATION_REQUEST": "continuationId"}
        key = names.get(asked["type"], "requestId")
        envelope = {"type": asked["expectedResponseType"], key: asked["requestId"], **members}
        answered = self._ask("POST", "responses", envelope)
        assert answered.status_code == 200, answered.text

    def interrupt(self, **members: Any) -> None:
        """Interrupt the run, or a part of it."""
        interrupted = self._ask("POST", "interrupt", members)
        assert interrupted.status_code == 202, interrupted.text

    def statuses(self) -> dict[str, str]:
        """Return how the runs of the branch stand."""
        runs = self._ask("GET", "runs").json()
        return {run["runtimeRunId"]: run["status"] for run in runs}

    def log(self) -> list[dict[str, Any]]:
        """Return the events of the branch."""
        events: list[dict[str, Any]] = self._ask("GET", "events").json()
        return events

    def types(self) -> list[str]:
        """Return the types of the events of the branch."""
        return [event["type"] for event in self.log()]

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        answer = httpx.request(method, f"{self._branch}/{path}", json=body, verify=False)
        assert answer.is_success, answer.text
        return answer

"""A worker's hands: the requests that one of either dialect makes to a server."""

from typing import Any, Self

import httpx

Json = dict[str, Any]


class FleetWorker:
    """One registered worker; it shows who it is by its token, or by the shared key if it was given none."""

    def __init__(self, http: httpx.AsyncClient, registered: Json, *, key: str | None = None) -> None:
        self.http = http
        self.id = str(registered["workerId"])
        self.registered = registered
        self.token: str | None = registered["runtimeToken"]
        self.key = key

    @classmethod
    async def register(cls, http: httpx.AsyncClient, *, key: str | None = None, **said: Any) -> Self:
        """Register, with a key if there is one."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        body = {"hostname": "host", "capacity": 10} | said
        response = await http.post("/api/workers/register", json=body, headers=headers)
        assert response.status_code == 201, response.text
        return cls(http, response.json(), key=key)

    @property
    def headers(self) -> dict[str, str]:
        """Who it is."""
        return {"Authorization": f"Bearer {self.token or self.key}"}

    async def poll(self) -> Json:
        """Poll, which must succeed."""
        response = await self.http.get(f"/api/workers/{self.id}/poll", headers=self.headers)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    async def claimed(self) -> Json:
        """Poll for exactly one item, and return it."""
        (item,) = (await self.poll())["work"]
        one: Json = item
        return one

    async def report(self, session: str, verb: str, **said: Any) -> httpx.Response:
        """Report something of a session; who has no token says which worker it is."""
        body = said if self.token else {"workerId": self.id, **said}
        return await self.http.post(f"/api/sessions/{session}/{verb}", json=body, headers=self.headers)

    async def told(self, session: str, verb: str, **said: Any) -> Json:
        """Report something that must be taken, and return the answer."""
        response = await self.report(session, verb, **said)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    async def say(self, session: str, text: str, *, turn: str = "turn-0", first: int = 0) -> Json:
        """Feed a text, a frame a word, and end the turn's message."""
        words = [word + " " for word in text.split(" ")[:-1]] + text.split(" ")[-1:]
        frames = [{"index": first + at, "text": word, "done": False} for at, word in enumerate(words)]
        frames.append({"index": first + len(words), "text": "", "done": True})
        return await self.told(session, "token-delta", turnId=turn, frames=frames)


async def define_worker_agent(http: httpx.AsyncClient, name: str = "helper", **config: Any) -> str:
    """Define an agent whose runs are for workers, and return its id."""
    body = {"name": name, "config": {"runtime": "worker", "workType": "research", **config}}
    response = await http.post("/agents", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])

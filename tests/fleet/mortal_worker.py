"""A worker in a process of its own, to be killed: it claims one item, says who it is, and lives until it dies.

Called with the server's address and the id of the one agent that it works for.
"""

import json
import sys
import time
from typing import Any
from urllib.request import Request, urlopen


def ask(url: str, token: str | None, body: object | None = None) -> Any:
    """Ask the server something."""
    headers = {"Content-Type": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, headers), timeout=10) as answer:
        return json.load(answer)


def main(server: str, agent: str) -> None:
    """Work."""
    said = {"hostname": "mortal", "capacity": 1, "agentIds": [agent]}
    me = ask(f"{server}/api/workers/register", None, said)
    home, token = f"{server}/api/workers/{me['workerId']}", me["runtimeToken"]
    while not (work := ask(f"{home}/poll", token)["work"]):
        time.sleep(0.05)
    ask(f"{server}/api/sessions/{work[0]['sessionId']}/status", token, {"status": "running"})
    print(me["workerId"], flush=True)
    while True:
        ask(f"{home}/heartbeat", token, {"activeCount": 1})
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What a refused answer is told, in short."""

import httpx

from tests.edge.problem import problem


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    """Return the status, the code and the outcome of a whole problem document."""
    document = problem(response)
    return response.status_code, document["code"], document.get("outcome")

"""Reading a problem document, and refusing one that lacks anything."""

import re
from typing import Any

import httpx


def problem(response: httpx.Response) -> dict[str, Any]:
    """Return an answer's problem document; every member and header that the contract names must be there."""
    assert response.headers["content-type"] == "application/problem+json", (response.status_code, response.text[:300])
    document: dict[str, Any] = response.json()
    code = document["code"]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code), document
    pascal_case = "".join(word.capitalize() for word in code.split("-"))
    assert document["type"] == f"urn:branchline:problem:{code}"
    assert document["status"] == response.status_code
    assert document["title"]
    assert document["detail"].endswith("."), document
    assert document["instance"].startswith("/")
    assert document["errors"] == {pascal_case: [document["detail"]]}
    waits = response.status_code in {429, 503} or code == "idempotency-key-under-way"
    assert waits == ("retry-after" in response.headers)
    return document

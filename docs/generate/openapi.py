"""The OpenAPI document of the application, as pages and clients have it."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx

from hosting import create_app

Schema = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document, as /openapi.json gives it."""
    return asyncio.run(_ask())


def document_text() -> str:
    """Return the OpenAPI document as its file holds it: what the routes are meant to do."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def operations() -> Iterator[tuple[str, str, Schema]]:
    """Return every route as its method, path and description."""
    for path, item in document()["paths"].items():
        for method in _METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def schemas() -> Mapping[str, Schema]:
    """Return the schemas that have a name."""
    named: Mapping[str, Schema] = document()["components"]["schemas"]
    return named


def response_of(response: Schema) -> Schema:
    """Return an answer, whether it stands there or is referred to."""
    name = name_in(response)
    found: Schema = document()["components"]["responses"][name] if name else response
    return found


def name_in(schema: Schema) -> str:
    """Return the name that a schema or an answer refers to; empty when it stands there itself."""
    name: str = schema.get("$ref", "").rpartition("/")[2]
    return name


def codes_in(response: Schema) -> list[str]:
    """Return the problem codes that an answer comes with; none when it is no problem."""
    parts = (part for media in response.get("content", {}).values() for part in media["schema"].get("allOf", ()))
    return [name for part in parts for name in part.get("properties", {}).get("code", {}).get("enum", ())]


async def _ask() -> dict[str, Any]:
    # Asked for like a client does, without a server or a database: what the routes declare is completed on the way out.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url="http://branchline") as client:
        answer: dict[str, Any] = (await client.get("/openapi.json")).raise_for_status().json()
    return answer

"""Uploaded files: sent and fetched piece by piece, so that their size costs no memory."""

from collections.abc import AsyncGenerator
from datetime import datetime
from mimetypes import guess_type
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import msgspec

from events.ids import ContentId
from hosting.client.address import BranchAddress
from hosting.client.answer import check_answer, read_answer, refusal
from hosting.client.connection import Connection

_UNKNOWN = "application/octet-stream"


class Content(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that was uploaded; `version` is its SHA-256 in hex."""

    content_id: ContentId
    version: str
    content_type: str
    size_bytes: int
    file_name: str
    created_at: datetime

    @property
    def uri(self) -> str:
        """What a message says to refer to it."""
        return f"hpd-content://{self.content_id}"


async def upload(
    connection: Connection, at: BranchAddress, file: Path | BinaryIO, name: str | None, content_type: str | None
) -> Content:
    """See Client.upload."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return await upload(connection, at, opened, name or file.name, content_type)
    called = name or "file"
    kind = content_type or guess_type(called)[0] or _UNKNOWN
    path = _path(at)
    with connection.told(f"POST {path}"):
        answer = await connection.http.post(path, files={"file": (called, file, kind)})
    return read_answer(answer, Content)


async def listed(connection: Connection, at: BranchAddress) -> list[Content]:
    """See Client.contents."""
    return await connection.get(_path(at), list[Content])


async def download(connection: Connection, at: BranchAddress, content_id: ContentId) -> AsyncGenerator[bytes]:
    """See Client.download."""
    path = _path(at, content_id)
    with connection.told(f"GET {path}"):
        async with connection.http.stream("GET", path) as response:
            if not response.is_success:
                await response.aread()
                raise refusal(response)
            async for piece in response.aiter_raw():
                yield piece


async def delete(connection: Connection, at: BranchAddress, content_id: ContentId) -> None:
    """See Client.delete_content."""
    check_answer(await connection.request("DELETE", _path(at, content_id)))


def _path(at: BranchAddress, content_id: ContentId | None = None) -> str:
    branch = f"/sessions/{quote(at.session_id, safe='')}/branches/{quote(at.branch_id, safe='')}/content"
    return branch if content_id is None else f"{branch}/{quote(content_id, safe='')}"

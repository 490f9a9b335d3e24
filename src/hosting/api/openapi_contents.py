"""Uploads and downloads of files, as the description has them: they are no JSON."""

from typing import Final

from hosting.api.contents_form import FIELD
from hosting.api.openapi_schemas import TEXT, Json

UPLOADS: Final = frozenset({"postContent", "postSessionContent"})
DOWNLOADS: Final = frozenset({"getContent", "getSessionContent"})

_FILE: Final[Json] = {"type": "string", "contentMediaType": "application/octet-stream"}
_HEADERS: Final[Json] = {
    "ETag": {"description": "The SHA-256 of the whole file, in quotes.", "required": True, "schema": TEXT},
    "Content-Disposition": {"description": "`attachment`, with the file's name.", "required": True, "schema": TEXT},
    "Accept-Ranges": {"description": "A part of it can be asked for.", "required": True, "schema": {"const": "bytes"}},
}
_RANGE: Final[Json] = {
    "Content-Range": {"description": "Which part it is, and of how much.", "required": True, "schema": TEXT}
}


def describe_upload(operation: Json) -> None:
    """Complete a route that takes a form with a file."""
    form = {"type": "object", "required": [FIELD], "properties": {FIELD: {**_FILE, "minLength": 1}}}
    operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}


def describe_download(responses: Json) -> None:
    """Complete the answers of a route that hands out a file."""
    # By whatever type it was uploaded with.
    content = {"*/*": {"schema": _FILE}}
    responses["200"] |= {"description": "The file.", "headers": _HEADERS, "content": content}
    responses["206"] = {"description": "A part of it.", "headers": _HEADERS | _RANGE, "content": content}
    responses["304"] = {"description": "The client has it already.", "headers": {"ETag": _HEADERS["ETag"]}}

"""Routes that older workers knew, and that are no more."""

from litestar import get, post
from litestar.params import FromPath

from hosting.api.openapi import answers
from hosting.api.problems import ApiError

_PROMPTS: str = "/api/sessions/{session_id:str}/prompts"
_INSTEAD: str = "There are no prompts of a session any more; what a user adds comes by lock-refresh and the inbox."


@get(_PROMPTS, responses=answers("gone"))
async def get_prompts(session_id: FromPath[str]) -> None:
    """Say that there are no prompts any more."""
    raise ApiError("gone", _INSTEAD)


@post(_PROMPTS, status_code=200, responses=answers("gone"))
async def post_prompts(session_id: FromPath[str]) -> None:
    """Say that there are no prompts any more."""
    raise ApiError("gone", _INSTEAD)

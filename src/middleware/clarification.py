"""Asking the user a question in words."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from events.clarification import ClarificationRequest, ClarificationResponse
from middleware.asking import Asker

_SOURCE: Final = "Clarification"


async def clarify(
    asker: Asker, question: str, options: Sequence[str] = (), *, agent_name: str, within: timedelta | None
) -> str:
    """Ask, and return what the user says, which may be none of the options.

    Raises:
        RequestExpired: nobody answered in time.
    """
    request = ClarificationRequest(
        request_id=asker.new_request_id(),
        source_name=_SOURCE,
        question=question,
        agent_name=agent_name,
        options=tuple(options) or None,
    )
    return (await asker.ask(request, ClarificationResponse, within=within)).answer

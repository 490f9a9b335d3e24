"""An agent to be served in a file: whoever serves it answers POST /sessions otherwise than the description says."""

import hosting
from hosting.api.sessions import post_session

post_session.status_code = 200


@hosting.agent("quiet")
async def quiet(context: hosting.RunContext) -> None:
    """Say nothing."""

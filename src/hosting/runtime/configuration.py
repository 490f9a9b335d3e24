"""Whether a run can be configured as its input says, on the branch as it is."""

import asyncio
from typing import Final

from hosting.domain.branch import Branch
from hosting.domain.errors import InvalidInput
from hosting.domain.run_config import check_run_config
from hosting.runtime.client_tool_calls import CLIENT_TOOLS, decode_client_tools
from hosting.runtime.core import Runtime
from middleware.client_tools.begin import begin
from middleware.client_tools.refusal import ClientToolInputRefused

_TOO_LARGE_FOR_THE_LOOP: Final = 256 << 10


async def check_configuration(runtime: Runtime, branch: Branch, config: bytes) -> None:
    """Make sure of it before the input is accepted.

    Raises:
        InvalidInput, RunConfigRefused: it cannot.
    """
    if len(config) <= _TOO_LARGE_FOR_THE_LOOP:
        given = check_run_config(config).client_tool_input
    else:
        given = (await asyncio.to_thread(check_run_config, config)).client_tool_input
    if given is None:
        return
    kept = await runtime.run_reads.state(branch.key, branch.scope, [CLIENT_TOOLS], of_branch=True)
    earlier = decode_client_tools(kept.get(CLIENT_TOOLS))
    try:
        await asyncio.to_thread(begin, earlier, given)
    except ClientToolInputRefused as error:
        raise InvalidInput(str(error.below("runConfig.clientToolInput"))) from error

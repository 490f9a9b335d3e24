"""What several calls of client's tools change at once is changed once each, also when the server dies just then."""

from collections.abc import Callable
from contextlib import suppress

import httpx

from tests.crash.fatal import ACTING, QUICK, only_run, started_again
from tests.crash.questions import said, text_of
from tests.harness.client import Client
from tests.harness.process import ServerProcess

GROUPS = {
    "clientToolHarnesses": [
        {
            "name": name,
            "description": f"All about {name}.",
            "startCollapsed": True,
            "tools": [{"name": tool, "parametersSchema": {"type": "object"}}],
        }
        for name, tool in (("birds", "wren"), ("trees", "oak"))
    ]
}

COMMITS = range(2, 12)


async def test_groups_of_tools_that_are_opened_at_once_are_open_wherever_the_run_was_cut(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    died = server.folder / "died"
    cuts = 0
    for number in COMMITS:
        session = f"s{number}"
        died.unlink(missing_ok=True)
        async with Client(server.url) as client:
            await client.session(session)
            (server.folder / "death").write_text(f"after {number}")
            with suppress(httpx.HTTPError):
                run = await said(client, session, "go", agent="opener", config={"clientToolInput": GROUPS})
                await client.ended(session, run)
        cuts += await started_again(server)
        (server.folder / "death").unlink(missing_ok=True)
        run = await only_run(server, session)
        assert run is not None
        async with Client(server.url) as client:
            ended = await client.ended(session, run)
            log = await client.log(session)
        told = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"]
        assert (number, ended["status"], ended.get("error")) == (number, "completed", None)
        assert text_of(log, told[-1]) == "oak wren"
        assert [event["type"] for event in log].count("BRANCH_MIDDLEWARE_STATE_COMMITTED") == 2
    assert cuts > len(COMMITS) // 2

"""A branch that is busy, and what is said on it."""

from tests.harness.client import Client
from tests.interrupt.talk import Log, Talk


async def busy(client: Client) -> Talk:
    """Return a branch whose run waits for an answer."""
    talk = await Talk.begin(client)
    await talk.say("/permission")
    await talk.asked()
    return talk


async def let_go(talk: Talk) -> None:
    """Let the run of a busy branch go on."""
    await talk.answer((await talk.asked())[0], approved=True)


def said(log: Log) -> list[str]:
    """Return the texts of the inputs."""
    return [event["content"]["text"] for event in log if event["type"] == "CONTENT_ADDED"]

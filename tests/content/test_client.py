"""The client of this package sends files and fetches them."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from msgspec import Raw

from events.ids import AgentId, SessionId
from events.inputs import ChatMessage, UserMessagesInput
from hosting.client import BranchAddress, Client, Problem
from tests.harness.process import ServerProcess

SIZE = 3 << 20


async def test_a_file_goes_in_is_listed_referred_to_fetched_and_deleted(
    content_server: ServerProcess, tmp_path: Path
) -> None:
    data = bytes(range(256)) * (SIZE >> 8)
    file = tmp_path / "ein Bild.png"
    file.write_bytes(data)
    async with Client(content_server.url) as client:
        at = BranchAddress(AgentId("reader"), SessionId(await client.ensure_session()))

        sent = await client.upload(at, file)
        other = await client.upload(at, BytesIO(b"x"), name="b")
        listed = await client.contents(at)
        fetched = b"".join([piece async for piece in client.download(at, sent.content_id)])
        part = Raw(b'{"$type":"uri","uri":"%b"}' % sent.uri.encode())
        accepted = await client.submit(at, UserMessagesInput(messages=(ChatMessage(contents=(part,)),)))
        said = [event.event async for event in client.follow_run(at, accepted)]
        await client.delete_content(at, sent.content_id)
        with pytest.raises(Problem) as gone:
            await anext(client.download(at, sent.content_id))

    assert (sent.file_name, sent.content_type, sent.size_bytes) == ("ein Bild.png", "image/png", SIZE)
    assert (other.file_name, other.content_type) == ("b", "application/octet-stream")
    assert listed == [sent, other]
    assert sha256(fetched).hexdigest() == sent.version
    assert sent.version in "".join(getattr(event, "text", "") for event in said)
    assert gone.value.code == "content-not-found"

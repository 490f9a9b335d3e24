"""What cannot be taken is refused with a word that says why, early, and leaves nothing."""

import asyncio
from collections.abc import Callable

import pytest

from tests.content.conftest import LARGEST, OF_SESSION
from tests.content.upload import BOUNDARY, TAIL, Upload, form, form_head, upload
from tests.harness.client import Client
from tests.harness.process import ServerProcess

FORM = f"multipart/form-data; boundary={BOUNDARY}"
MEBIBYTE = 1 << 20

NAMES = ["../x", "..", ".", "/etc/passwd", "C:\\x", "a/b", "%0Ax", "x%0D", "a\x01b", "a\x7fb", "\u202egnp.exe"]
NAMES += ["n" * 256, "ü" * 128]
BROKEN = {
    "nothing": b"",
    "no form": b"hello",
    "no end": form_head() + b"hello",
    "no name": f"--{BOUNDARY}\r\nContent-Type: a/b\r\n\r\nhello".encode() + TAIL,
    "a line break of another kind": form(b"hello").replace(b"\r\n", b"\n"),
    "a head without an end": form_head()[:-4] + b"x" * 6000,
    "many heads": form_head()[:-2] + b"X-A: b\r\n" * 20 + b"\r\nhello" + TAIL,
    "a name in bytes that are no text": form(b"hello", name="NAME").replace(b"NAME", b"\xff\xfe"),
    "many fields": b"".join(form_head(field=f"f{number}") + b"x\r\n" for number in range(20)) + form(b"hello"),
}


async def refusal(client: Client, path: str, body: bytes, content_type: str = FORM, **headers: str) -> tuple[int, str]:
    """Upload something that cannot be taken, and return how it is refused."""
    answer = await client.http.post(path, content=body, headers={"Content-Type": content_type, **headers})
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_what_is_no_form_with_a_file_is_refused(content_client: Client) -> None:
    session = await content_client.session()
    path = f"/sessions/{session}/branches/main/content"

    for content_type in ("application/json", "multipart/form-data", "multipart/mixed; boundary=x", "text/plain"):
        assert await refusal(content_client, path, b"{}", content_type) == (400, "invalid-content-type")
    for boundary in ('""', '"\u00e4"', "b" * 71):
        said = f"multipart/form-data; boundary={boundary}"
        answer = await content_client.http.post(path, content=b"x", headers={"Content-Type": said.encode("utf-8")})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-content-type")
    assert await refusal(content_client, path, form(b"x"), **{"Content-Encoding": "gzip"}) == (
        415,
        "unsupported-media-type",
    )
    for empty in (form(b""), form_head(field="other") + b"x" + TAIL, form(b"x", name="")):
        assert await refusal(content_client, path, empty) == (400, "no-file-provided")
    two = form_head() + b"x\r\n" + form_head("b.bin") + b"y" + TAIL
    assert await refusal(content_client, path, two) == (400, "no-file-provided")
    assert (await content_client.http.get(path)).json() == []


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_form_is_refused(content_client: Client, what: str) -> None:
    session = await content_client.session()

    refused = await refusal(content_client, f"/sessions/{session}/content", BROKEN[what])

    assert refused in {(400, "invalid-request"), (400, "no-file-provided")}
    assert (await content_client.http.get(f"/sessions/{session}/content")).json() == []


async def test_a_name_that_is_a_path_or_cannot_be_shown_is_refused(content_client: Client) -> None:
    session = await content_client.session()
    path = f"/sessions/{session}/content"

    refused = {name: await refusal(content_client, path, form(b"hello", name)) for name in NAMES}

    assert refused == dict.fromkeys(NAMES, (400, "invalid-file-name"))
    assert (await content_client.http.get(path)).json() == []
    for name in ("a b.txt", "n" * 255, "\u00fc" * 127, "-", "...", "\U0001f468\u200d\U0001f469.png", "a;b.txt"):
        taken = await content_client.http.post(path, content=form(b"x", name), headers={"Content-Type": FORM})
        assert (taken.status_code, taken.json()["fileName"]) == (201, name)


async def test_a_type_that_is_none_is_refused_and_one_that_is_not_said_is_bytes(content_client: Client) -> None:
    session = await content_client.session()
    path = f"/sessions/{session}/content"

    for wrong in ("nonsense", "a/b/c", "text/plain; charset", "a/b\x0b", "/", "text/*"):
        assert await refusal(content_client, path, form(b"x", content_type=wrong)) == (415, "unsupported-media-type")
    unsaid = await content_client.http.post(path, content=form(b"x", content_type=None), headers={"Content-Type": FORM})

    assert unsaid.json()["contentType"] == "application/octet-stream"


async def test_what_is_too_large_is_refused_before_it_is_read(content_client: Client) -> None:
    session = await content_client.session()
    path = f"/sessions/{session}/content"

    async with Upload(content_client.base) as declared:
        await declared.head(path, "Expect: 100-continue", length=LARGEST + MEBIBYTE)
        # Nobody asked for it by a 100, and nothing of the file is sent.
        assert await declared.status() == 413
    async with Upload(content_client.base) as chunked:
        await chunked.head(path)
        answering = asyncio.create_task(chunked.answer())
        sent = 0
        while not answering.done() and sent < LARGEST + 8 * MEBIBYTE:
            await chunked.send(b"x" * MEBIBYTE)
            sent += MEBIBYTE
        answer = await answering

    assert (answer.status, answer.code) in {(413, "payload-too-large"), (409, "content-full")}
    assert (await content_client.http.get(path)).json() == []


async def test_a_form_with_more_beside_its_file_than_it_needs_is_refused(content_client: Client) -> None:
    session = await content_client.session()
    beside = form_head(field="note") + b"x" * 300_000 + b"\r\n" + form(b"hello")

    assert await refusal(content_client, f"/sessions/{session}/content", beside) == (413, "payload-too-large")


async def test_a_session_keeps_as_much_as_it_may_and_not_more_whoever_comes_first(content_client: Client) -> None:
    session = await content_client.session()
    path = f"/sessions/{session}/content"
    # What is on its way keeps room for its form, too.
    size = OF_SESSION // 4 - 4096

    raced = await asyncio.gather(*(upload(content_client.base, path, size, seed) for seed in range(8)))
    listed = (await content_client.http.get(path)).json()
    full = await upload(content_client.base, path, (16 << 10) + 1)
    exact = await upload(content_client.base, path, OF_SESSION - 4 * size)
    none = await upload(content_client.base, path, 1)
    deleted = await content_client.http.delete(f"{path}/{listed[0]['contentId']}")
    again = await upload(content_client.base, path, size)

    assert sorted(each.status for each in raced) == [201] * 4 + [409] * 4
    assert {each.code for each in raced if each.status == 409} == {"content-full"}
    assert len(listed) == 4
    assert (full.status, full.code) == (none.status, none.code) == (409, "content-full")
    assert exact.status == 201
    assert deleted.status_code == 204
    assert again.status == 201, again.body


async def test_an_operator_says_which_types_are_taken(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, upload_types="image/*,application/pdf").start()
    async with Client(server.url) as client:
        path = f"/sessions/{await client.session()}/content"

        said = {
            kind: (await client.http.post(path, files={"file": ("a", b"x", kind)})).status_code
            for kind in ("image/png", "IMAGE/x; a=b", "application/pdf", "application/json", "text/plain")
        }

    assert said == {
        "image/png": 201,
        "IMAGE/x; a=b": 201,
        "application/pdf": 201,
        "application/json": 415,
        "text/plain": 415,
    }

"""What a client uploads it finds again, byte by byte, through every branch of the session and in no other one."""

import asyncio
from hashlib import sha256

from tests.content.upload import digest, pieces_of, upload
from tests.harness.client import Client

MEBIBYTE = 1 << 20


async def test_an_upload_is_answered_with_its_place_and_can_be_downloaded_listed_and_deleted(
    content_client: Client,
) -> None:
    session = await content_client.session()
    path = f"/sessions/{session}/branches/main/content"

    made = await content_client.http.post(path, files={"file": ("über uns.txt", b"hello", "Text/Plain; charset=utf-8")})

    assert made.status_code == 201, made.text
    shown = made.json()
    assert set(shown) == {"contentId", "version", "contentType", "sizeBytes", "fileName", "createdAt"}
    assert (shown["contentType"], shown["sizeBytes"], shown["fileName"]) == (
        "text/plain; charset=utf-8",
        5,
        "über uns.txt",
    )
    assert shown["version"] == sha256(b"hello").hexdigest()
    assert made.headers["location"] == f"{path}/{shown['contentId']}"
    got = await content_client.http.get(made.headers["location"])
    assert (got.status_code, got.content) == (200, b"hello")
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert got.headers["content-disposition"] == (
        "attachment; filename=\"_ber uns.txt\"; filename*=UTF-8''%C3%BCber%20uns.txt"
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["etag"] == f'"{shown["version"]}"'
    head = await content_client.http.head(made.headers["location"])
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "5")
    assert (await content_client.http.get(path)).json() == [shown]
    deleted = await content_client.http.delete(made.headers["location"])
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await content_client.http.get(path)).json() == []
    for method in ("GET", "DELETE"):
        gone = await content_client.http.request(method, made.headers["location"])
        assert (gone.status_code, gone.json()["code"]) == (404, "content-not-found")


async def test_a_content_is_read_through_every_branch_and_listed_where_it_came_through(content_client: Client) -> None:
    session, other = await content_client.session(), await content_client.session()
    await content_client.branch(session, "side")
    ways = {way: f"/sessions/{session}{way}/content" for way in ("", "/branches/main", "/branches/side")}

    made = {
        way: (await content_client.http.post(path, files={"file": ("a", way.encode() + b"!")})).json()["contentId"]
        for way, path in ways.items()
    }

    listed = {
        way: {each["contentId"] for each in (await content_client.http.get(path)).json()} for way, path in ways.items()
    }
    assert listed == {
        "": set(made.values()),
        "/branches/main": {made["/branches/main"]},
        "/branches/side": {made["/branches/side"]},
    }
    for path in ways.values():
        for way, content_id in made.items():
            assert (await content_client.http.get(f"{path}/{content_id}")).content == way.encode() + b"!"
    for place in (f"/sessions/{other}/content", f"/sessions/{other}/branches/main/content"):
        strange = await content_client.http.get(f"{place}/{made['']}")
        assert (strange.status_code, strange.json()["code"]) == (404, "content-not-found")
    deleted = await content_client.http.delete(f"/sessions/{session}/branches/side")
    assert deleted.status_code == 204
    assert (await content_client.http.get(f"{ways['']}/{made['/branches/side']}")).status_code == 200


async def test_a_part_can_be_asked_for_and_what_is_known_is_not_sent_again(content_client: Client) -> None:
    session = await content_client.session()
    size = MEBIBYTE + 12_345
    made = await upload(content_client.base, f"/sessions/{session}/content", size)
    whole = b"".join([piece async for piece in pieces_of(size)])
    place, tag = made.headers["location"], f'"{made.json["version"]}"'
    parts = {
        "bytes=0-0": slice(0, 1),
        "bytes=262143-262144": slice(262_143, 262_145),
        "bytes=5-": slice(5, None),
        "bytes=-7": slice(-7, None),
        "bytes=1000000-99999999": slice(1_000_000, None),
    }

    for header, part in parts.items():
        got = await content_client.http.get(place, headers={"Range": header})

        first, last, _ = part.indices(size)
        assert (got.status_code, got.content) == (206, whole[part]), header
        assert got.headers["content-range"] == f"bytes {first}-{last - 1}/{size}"
    for header in ("bytes=0-1,5-6", "lines=1-2", "bytes=2-1", "bytes=-"):
        assert (await content_client.http.get(place, headers={"Range": header})).status_code == 200
    for header in (f"bytes={size}-", "bytes=-0"):
        refused = await content_client.http.get(place, headers={"Range": header})
        assert (refused.status_code, refused.json()["code"]) == (416, "range-not-satisfiable")
        assert refused.headers["content-range"] == f"bytes */{size}"
    heads = [await content_client.http.head(place, headers={"Range": each}) for each in ("bytes=0-0", f"bytes={size}-")]
    changed = await content_client.http.get(place, headers={"Range": "bytes=0-0", "If-Range": '"another"'})
    assert (changed.status_code, len(changed.content)) == (200, size)
    assert [head.status_code for head in heads] == [200, 200]
    known = await content_client.http.get(place, headers={"If-None-Match": f'"x", W/{tag}'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)


async def test_uploads_side_by_side_do_not_mix(content_client: Client) -> None:
    session = await content_client.session()
    sizes = [1, 262_144, 262_145, MEBIBYTE, MEBIBYTE + 1, 2 * MEBIBYTE + 3]

    made = await asyncio.gather(
        *(upload(content_client.base, f"/sessions/{session}/content", size, seed) for seed, size in enumerate(sizes))
    )

    assert [each.status for each in made] == [201] * len(sizes)
    for seed, (size, answer) in enumerate(zip(sizes, made, strict=True)):
        got = await content_client.http.get(answer.headers["location"])
        expected = await digest(pieces_of(size, seed))
        assert (answer.json["version"], sha256(got.content).hexdigest()) == (expected, expected)

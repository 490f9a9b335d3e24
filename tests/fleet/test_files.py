"""Files that a session keeps for itself, so that no other one of its project changes them meanwhile."""

import asyncio
from typing import Any

import httpx

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, bearer
from tests.fleet.relaying import Work
from tests.fleet.reporting import assigned
from tests.harness.worker import FleetWorker

Json = dict[str, Any]

MALFORMED = [
    "",
    "[]",
    "{}",
    '{"filePaths": "a"}',
    '{"filePaths": [1]}',
    '{"filePaths": [""]}',
    '{"filePaths": null}',
    '{"filePath": 1}',
    '{"filePath": ""}',
    '{"filePath": "a", "ttlSeconds": 0}',
    '{"filePath": "a", "ttlSeconds": "60"}',
    '{"filePaths": ["a"], "reason": {}}',
]


async def files(work: Work, verb: str, **body: Any) -> Json:
    """Ask for something that must be taken."""
    return await work.worker.told(work.id, f"files/{verb}", **body)


def holders(conflicts: list[Json]) -> list[tuple[str, str]]:
    """Return who has which file."""
    assert all(type(each["heldBy"]["reservedAt"]) is int for each in conflicts)
    return [(each["filePath"], each["heldBy"]["sessionId"]) for each in conflicts]


async def test_a_file_is_one_sessions_until_it_gives_it_up(local: httpx.AsyncClient) -> None:
    first, second = [await assigned(local, projectName="one") for _ in range(2)]

    mine = await files(first, "reserve", filePaths=["b.py", "a.py"], reason="to fix it")
    again = await files(first, "reserve", filePaths=["a.py"])
    theirs = await files(second, "reserve", filePaths=["a.py", "c.py"])
    checked = await files(second, "check-conflicts", filePaths=["a.py", "b.py", "c.py", "d.py"])
    queried = await local.get(
        f"/api/sessions/{second.id}/files/check-conflicts",
        params={"filePaths": ["a.py", "b.py", "c.py"]},
        headers=second.worker.headers,
    )
    single = await local.get(
        f"/api/sessions/{second.id}/files/check-conflicts", params={"filePath": "a.py"}, headers=second.worker.headers
    )
    released = [await files(first, "release", filePaths=["a.py", "x.py"]) for _ in range(2)]
    then = await files(second, "reserve", filePaths=["a.py"])
    rest = await files(second, "release-all")

    assert mine == {"reserved": ["b.py", "a.py"], "conflicts": []}
    assert again == {"reserved": ["a.py"], "conflicts": []}
    assert theirs["reserved"] == ["c.py"]
    assert holders(theirs["conflicts"]) == [("a.py", first.id)]
    assert holders(checked["conflicts"]) == [("a.py", first.id), ("b.py", first.id)]
    assert holders(queried.json()["conflicts"]) == [("a.py", first.id), ("b.py", first.id)]
    assert holders(single.json()["conflicts"]) == [("a.py", first.id)]
    assert released == [{"released": 1}, {"released": 0}]
    assert then == {"reserved": ["a.py"], "conflicts": []}
    assert rest == {"released": 2}


async def test_a_path_may_have_two_thousand_bytes(local: httpx.AsyncClient) -> None:
    work = await assigned(local, projectName="long")
    # Nothing in it repeats, so that it is stored as long as it is.
    longest = "".join(chr(0x4E00 + number * 31 % 20_000) for number in range(666)) + "ab"

    taken = await files(work, "reserve", filePaths=[longest])
    refused = await work.worker.report(work.id, "files/reserve", filePaths=[longest + "c"])

    assert len(longest.encode()) == 2000
    assert taken == {"reserved": [longest], "conflicts": []}
    assert refused.status_code == 400


async def test_files_are_free_when_their_session_ends_and_after_an_hour(gate: Gate, local: httpx.AsyncClient) -> None:
    ended, forgotten, heir = [await assigned(local, projectName="two") for _ in range(3)]
    await files(ended, "reserve", filePaths=["a.py"])
    await files(forgotten, "reserve", filePaths=["b.py"])
    (kept,) = (await gate.execute("SELECT expires_at - reserved_at / 1e6 FROM file_reservations WHERE path = 'b.py'"))[
        0
    ]

    await ended.worker.told(ended.id, "status", status="completed")
    await gate.execute("UPDATE file_reservations SET expires_at = expires_at - 3601 WHERE path = 'b.py'")
    free = await files(heir, "check-conflicts", filePaths=["a.py", "b.py"])
    taken = await files(heir, "reserve", filePaths=["a.py", "b.py"])
    late = await ended.worker.report(ended.id, "files/reserve", filePaths=["a.py"])

    assert abs(kept - 3600) < 1
    assert free == {"conflicts": []}
    assert taken == {"reserved": ["a.py", "b.py"], "conflicts": []}
    assert (late.status_code, late.json()["code"]) == (409, "work-session-ended")


async def test_a_single_file_is_kept_for_seconds_or_refused(gate: Gate, local: httpx.AsyncClient) -> None:
    first, second = [await assigned(local, projectName="three") for _ in range(2)]

    kept = await files(first, "reserve", filePath="one.py", ttlSeconds=9000)
    short = await files(first, "reserve", filePath="two.py")
    refused = await second.worker.report(second.id, "files/reserve", filePath="one.py")
    rows = await gate.execute(
        "SELECT path, expires_at - reserved_at / 1e6 FROM file_reservations WHERE item_id = :id ORDER BY path",
        id=first.id,
    )

    assert (kept, short) == ({"reserved": ["one.py"], "conflicts": []}, {"reserved": ["two.py"], "conflicts": []})
    assert (refused.status_code, refused.json()["code"]) == (409, "file-reserved")
    assert [(path, round(seconds)) for path, seconds in rows] == [("one.py", 300), ("two.py", 60)]


async def test_projects_do_not_share_their_files(local: httpx.AsyncClient) -> None:
    first, second = await assigned(local, projectName="four"), await assigned(local, projectName="five")
    await files(first, "reserve", filePaths=["a.py"])

    assert await files(second, "reserve", filePaths=["a.py"]) == {"reserved": ["a.py"], "conflicts": []}


async def test_of_two_that_reserve_the_same_files_at_once_each_file_goes_to_one(local: httpx.AsyncClient) -> None:
    works = [await assigned(local, projectName="six") for _ in range(4)]
    paths = [f"{index}.py" for index in range(40)]

    answers = await asyncio.gather(
        *(files(work, "reserve", filePaths=paths[index * 5 :] + paths[: index * 5]) for index, work in enumerate(works))
    )

    assert sorted(path for answer in answers for path in answer["reserved"]) == sorted(paths)
    assert all(len(answer["reserved"]) + len(answer["conflicts"]) == len(paths) for answer in answers)


async def test_a_key_alone_speaks_for_the_worker_that_has_the_session_and_other_workers_do_not(
    local: httpx.AsyncClient,
) -> None:
    work = await assigned(local, projectName="seven")
    await files(work, "reserve", filePaths=["a.py"])
    other = await FleetWorker.register(local, agentIds=["none"])
    verbs = ("reserve", "check-conflicts", "release", "release-all")

    refused = [await other.report(work.id, f"files/{verb}", filePaths=["a.py"]) for verb in verbs]
    released = await local.post(f"/api/sessions/{work.id}/files/release-all", headers=bearer(SHARED_KEY))

    assert [(each.status_code, each.json()["message"]) for each in refused] == [
        (403, "Session is owned by another worker")
    ] * 4
    assert released.json() == {"released": 1}


async def test_malformed_bodies_are_refused_and_reserve_nothing(gate: Gate, local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    for verb in ("reserve", "check-conflicts", "release"):
        for body in MALFORMED:
            headers = work.worker.headers | {"Content-Type": "application/json"}
            answer = await local.post(f"/api/sessions/{work.id}/files/{verb}", content=body, headers=headers)
            assert answer.status_code == 400, (verb, body)
            assert answer.json()["error"] == "Bad Request"
            assert answer.json()["message"]
    nothing = await local.get(f"/api/sessions/{work.id}/files/check-conflicts", headers=work.worker.headers)

    assert nothing.status_code == 400
    assert await gate.execute("SELECT path FROM file_reservations WHERE item_id = :id", id=work.id) == []

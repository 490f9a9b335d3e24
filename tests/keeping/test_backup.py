"""A backup made while clients go on sending has all that was accepted before it, and becomes a database of any kind."""

from collections.abc import Callable
from pathlib import Path

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.keeping.kept import backed_up, faults, lives, restored, stored, without_life
from tests.keeping.load import Ledger, Load

_RUNS = "SELECT runs.id FROM runs JOIN branches ON branches.key = runs.branch_key"


async def test_what_was_accepted_before_a_backup_is_in_what_is_restored_from_it(
    make_server: Callable[..., ServerProcess], database_url: str, opposite_url: str, tmp_path: Path
) -> None:
    server = make_server(database_url).start()
    async with Client(server.url) as client:
        with Ledger(tmp_path / "ledger") as ledger:
            async with Load(client, ledger, clients=6).going_on() as load:
                await load.accepted(24)
                before = ledger.noted()
                file = await backed_up(database_url, tmp_path / "backup.db")
                await load.accepted(len(before) + 12)
            after = ledger.noted()
        logs = {session: await client.log(session) for session in load.sessions}
    await restored(file, opposite_url)
    again = make_server(opposite_url).start()

    async with Client(again.url) as client:
        for session in load.sessions:
            # One that was accepted meanwhile may be in it, too, and goes on.
            for run_id in stored(file, f"{_RUNS} WHERE branches.session_id = '{session}'"):
                await client.ended(session, run_id)
        newer = {session: await client.log(session) for session in load.sessions}
        accepted = await client.accepted(load.sessions[0], "and now?")
        await client.ended(load.sessions[0], accepted["runtimeRunId"])

    assert await faults(opposite_url, tmp_path) == ""
    runs = set(stored(file, _RUNS))
    assert {run_id for _, run_id in before} <= runs
    assert runs < {run_id for _, run_id in after} | runs
    assert stored(file, "PRAGMA integrity_check") == ["ok"]
    assert file.stat().st_mode & 0o777 == 0o600
    for session in load.sessions:
        check_log(newer[session])
        kept = without_life(newer[session])
        heads = stored(file, f"SELECT next_seq - 1 FROM branches WHERE session_id = '{session}'")
        assert kept[: heads[0]] == without_life(logs[session])[: heads[0]]
        assert len(lives(newer[session])) == 1
        assert not lives(newer[session]) & lives(logs[session])


async def test_nothing_of_a_file_that_was_deleted_is_in_a_backup(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    server, secret = make_server(database_url).start(), b"what nobody is to see any more " * 10_000
    async with Client(server.url) as client:
        session = await client.session()
        path = f"/sessions/{session}/content"
        kept, gone = [
            (await client.http.post(path, files={"file": ("a.txt", text, "text/plain")})).headers["location"]
            for text in (b"what stays", secret)
        ]
        deleted = await client.http.delete(gone)
        # Before it comes to remove the pieces.
        server.kill()
    file = await backed_up(database_url, tmp_path / "backup.db")
    await restored(file, database_url, "--force")
    async with Client(make_server(database_url).start().url) as client:
        stays = await client.http.get(kept)

    assert deleted.status_code == 204
    assert b"to see any more" not in file.read_bytes()
    assert stays.text == "what stays"

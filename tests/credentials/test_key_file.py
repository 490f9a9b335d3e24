"""Credentials live as long as the key that they are sealed with: rotated, sealed anew, missing, gone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import add_key, ensure_key_file
from tests.credentials.safe import ROTATE, SNAPSHOT, STREAM, Safe
from tests.harness.process import ServerProcess
from tests.identity.command import branchline


@pytest.fixture
def vault(make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path) -> Safe:
    """A server of its own, whose keys a test can change."""
    ensure_key_file(tmp_path / "keys")
    return Safe(make_server(database_url, key_file=tmp_path / "keys").start(), tmp_path / "keys")


async def test_after_a_rotation_the_new_key_seals_and_what_was_sealed_anew_needs_the_old_one_no_more(
    vault: Safe, tmp_path: Path, tenant: str
) -> None:
    other = f"{tenant}-other"
    async with vault.operator("local") as local, vault.operator(tenant) as operator, vault.operator(other) as theirs:
        for hands in (local, operator, theirs):
            await hands.set("OLD", "old")
        added = add_key(vault.key_file)
        await operator.set("NEW", "new")
        own = await operator.http.post("/credentials/rekey")
        shown = {each["name"]: each["keyId"] for each in await operator.listed()}
        done = branchline("credentials", "rekey", "--url", vault.server.url, folder=tmp_path)
        entries = await operator.audit(3)

        lines = vault.key_file.read_text().splitlines()
        vault.key_file.write_text(f"{lines[-1]}\n")
        async with vault.holder(tenant) as holder, vault.holder(other) as their_holder:
            env, their_env = await holder.env(projectId="web"), await their_holder.env(projectId="web")

    assert own.json() == {"keyId": added, "rekeyed": 1, "unreadable": 0}
    assert shown == {"OLD": added, "NEW": added}
    assert (done.status, done.errors) == (0, f"2 are sealed with key {added} now.\n")
    assert (env, their_env) == ({"OLD": "old", "NEW": "new"}, {"OLD": "old"})
    assert [each["action"] for each in entries] == ["set", "set", "rekeyed"]


async def test_what_a_lost_key_sealed_is_said_by_name_until_it_is_set_anew(
    vault: Safe, tmp_path: Path, tenant: str
) -> None:
    async with vault.operator(tenant) as operator, vault.holder(tenant) as holder:
        before = await operator.set("KEY", "canary")
        vault.key_file.write_text("another " + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE" + "\n")

        lost = await holder.ask(projectId="web")
        listed = await operator.listed()
        rekeyed = (await operator.http.post("/credentials/rekey")).json()
        await operator.set("KEY", "again")
        found = await holder.env(projectId="web")

    assert (lost.status_code, lost.json()["code"]) == (503, "credential-unreadable")
    assert "KEY" in lost.json()["detail"]
    assert before["keyId"] in lost.json()["detail"]
    assert "canary" not in lost.text
    assert listed == [before]
    assert rekeyed == {"keyId": "another", "rekeyed": 0, "unreadable": 1}
    assert found == {"KEY": "again"}


async def test_without_a_key_file_every_route_names_the_setting(
    make_server: Callable[..., ServerProcess], postgres_url: str, tmp_path: Path
) -> None:
    safe = Safe(make_server(postgres_url).start(), tmp_path / "none")
    async with safe.operator("local") as operator, safe.holder("local") as holder:
        answers = [
            await operator.http.put("/credentials/A", json={"value": "x"}),
            await operator.http.get("/credentials"),
            await operator.http.delete("/credentials/A"),
            await operator.http.get("/credentials/audit"),
            await operator.http.post("/credentials/rekey"),
            await operator.http.post(ROTATE, json={"orgId": "local", "kind": "x"}),
            await holder.http.post(SNAPSHOT, json={"orgId": "local", "projectId": "web"}),
            await holder.http.get(STREAM, params={"sessionId": "x"}),
        ]
        elsewhere = await operator.http.get("/agents")

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(503, "no-sealing-key")] * 8
    assert ["BRANCHLINE_KEY_FILE" in each.json()["detail"] for each in answers] == [True] * 8
    assert ["start the server again" in each.json()["detail"] for each in answers] == [True] * 8
    assert elsewhere.status_code == 200


async def test_what_was_moved_to_another_row_is_refused_at_the_door(vault: Safe, tenant: str) -> None:
    other = f"{tenant}-other"
    async with vault.operator(tenant) as operator, vault.operator(other) as theirs, vault.holder(tenant) as holder:
        await operator.set("KEY", "own")
        await theirs.set("KEY", "canary")
        stolen = "(SELECT sealed FROM credentials WHERE tenant = :other)"
        await vault.execute(f"UPDATE credentials SET sealed = {stolen} WHERE tenant = :own", other=other, own=tenant)

        answer = await holder.ask(projectId="web")

    assert (answer.status_code, answer.json()["code"]) == (503, "credential-unreadable")
    assert "canary" not in answer.text


@pytest.mark.parametrize("what", ["emptied", "removed", "binary"])
async def test_while_the_file_cannot_be_used_nothing_is_sealed_and_what_was_is_still_read(
    vault: Safe, tenant: str, what: str
) -> None:
    async with vault.operator(tenant) as operator, vault.holder(tenant) as holder:
        await operator.set("KEY", "x")
        text = vault.key_file.read_bytes()
        vault.key_file.unlink()
        if what != "removed":
            vault.key_file.write_bytes(b"" if what == "emptied" else b"\xff\xfe\0")
        refused = [
            await operator.http.put("/credentials/NEW", json={"value": "x"}),
            await operator.http.post("/credentials/rekey"),
        ]
        env, listed = await holder.env(projectId="web"), await operator.listed()
        vault.key_file.write_bytes(text)
        await operator.set("NEW", "y")

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(503, "no-sealing-key")] * 2
    assert ["key file" in each.json()["detail"] for each in refused] == [True] * 2
    assert (env, [each["name"] for each in listed]) == ({"KEY": "x"}, ["KEY"])
    assert "the key file cannot be read again" in vault.server.errors.read_text()


async def test_a_server_that_starts_without_a_key_that_something_is_sealed_with_tells_it_at_once(
    vault: Safe, tenant: str
) -> None:
    async with vault.operator(tenant) as operator:
        shown = await operator.set("KEY", "x")
    vault.server.terminate()
    before = vault.server.errors.read_text()
    vault.key_file.write_text("another " + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE" + "\n")
    vault.server.start()

    told = vault.server.errors.read_text().removeprefix(before)
    assert "credentials are sealed with keys that are not in the key file" in told
    assert shown["keyId"] in told

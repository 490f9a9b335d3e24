"""The keys of callers in the store."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from hosting.adapters.sql.visit import visit_keys
from hosting.domain.api_key import ApiKey, hash_key, is_key, make_key
from hosting.domain.identity import Role
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def key_number(number: int, tenant: str = "acme", project: str | None = None) -> tuple[ApiKey, Secret]:
    """Return a key, and what is known of it; each number has its own."""
    secret = sha256(bytes([number])).digest()
    made_at = NOON + timedelta(seconds=number)
    role = Role.WORKER if project else Role.USER
    return make_key(TenantId(tenant), role, project, secret=secret, key_id=f"key_{number}", now=made_at)


def nothing_to_migrate(place: str) -> None:
    raise AssertionError(f"{place} has its tables")


async def test_a_key_is_found_by_its_hash_until_it_is_revoked(database_url: str) -> None:
    known, text = key_number(1, project="web")
    _, other = key_number(2)
    async with visit_keys(database_url, nothing_to_migrate) as keys:
        await keys.add(known, hash_key(text))

        found, missing = await keys.find(hash_key(text)), await keys.find(hash_key(other))
        revoked = await keys.revoke(known.id, NOON)
        after = await keys.find(hash_key(text))

    assert (found, missing, after) == (known, None, None)
    assert revoked is not None
    assert revoked.revoked_at == NOON


async def test_what_is_done_twice_counts_once(database_url: str) -> None:
    known, text = key_number(1)
    async with visit_keys(database_url, nothing_to_migrate) as keys:
        await keys.add(known, hash_key(text))
        await keys.add(known, hash_key(text))
        first, second = await keys.revoke(known.id, NOON), await keys.revoke(known.id, NOON + timedelta(days=1))
        nobodys = await keys.revoke("key_of_nobody", NOON)

        listed = await keys.listed()

    assert first == second == listed[0]
    assert (nobodys, len(listed)) == (None, 1)


async def test_keys_are_listed_of_one_tenant_or_of_all_the_oldest_first(database_url: str) -> None:
    made = [key_number(3), key_number(1), key_number(2, "other")]
    async with visit_keys(database_url, nothing_to_migrate) as keys:
        for known, text in made:
            await keys.add(known, hash_key(text))

        of_acme = [each.id for each in await keys.listed(TenantId("acme"))]
        of_all = [each.id for each in await keys.listed()]

    assert of_acme == ["key_1", "key_3"]
    assert of_all == ["key_1", "key_2", "key_3"]


async def test_the_store_never_sees_a_key(sqlite_url: str) -> None:
    known, text = key_number(7)
    async with visit_keys(sqlite_url, nothing_to_migrate) as keys:
        await keys.add(known, hash_key(text))

    stored = b"".join(
        each.read_bytes() for each in Path(sqlite_url.removeprefix("sqlite+aiosqlite:///")).parent.iterdir()
    )
    assert known.id.encode() in stored
    assert known.shown.encode() in stored
    assert text.reveal().encode() not in stored
    assert text.reveal()[13:].encode() not in stored


def test_a_key_says_in_its_first_letters_what_it_is_and_is_all_chance_behind_them() -> None:
    of_tenant, of_project = key_number(1)[1].reveal(), key_number(1, project="web")[1].reveal()

    assert (of_tenant[:9], of_project[:9]) == ("rsk_live_", "rsp_live_")
    assert len(of_tenant) == len(of_project) == 9 + 43
    assert [is_key(text) for text in (of_tenant, of_project, "rsk_test_x", "a.b.c", "")] == [True, True] + [False] * 3
    assert key_number(1)[0].shown == of_tenant[:13]

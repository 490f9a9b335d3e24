"""What comes out of a real store through a real cipher: each tenant's own, and nothing that was moved (C9)."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hosting.adapters.secrets.aes_gcm import AesGcmCipher
from hosting.adapters.sql.database import Database, open_database
from hosting.domain.credential import MOST_OF_TENANT, Credential, Layer, Place, merge
from hosting.domain.credential_errors import CredentialUnreadable, SealKeyMissing
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret
from hosting.domain.signing_key import SigningKey
from hosting.ports.credentials import Kept
from hosting.services.credentials.environment import SealedVault
from hosting.services.credentials.keeping import sealed_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = SigningKey.of("first", b"1" * 32), SigningKey.of("second", b"2" * 32)
SEED, ROUNDS = int(os.environ.get("SEED", "1")), int(os.environ.get("ROUNDS", "10000"))
TENANTS = [TenantId(name) for name in ("a", "A", 'a","b', "local")]
PROJECTS = [None, "web", "Web", '"web",null']
ENVIRONMENTS = [None, "production", "staging"]
NAMES = ["A", "a", "B", "OPENAI_API_KEY"]


@dataclass
class Strongroom:
    """A store, a cipher whose keys can be taken away, and the vault that is made of both."""

    database: Database
    url: str
    keys: dict[str, SigningKey]

    def __post_init__(self) -> None:
        self.cipher = AesGcmCipher(lambda: self.keys)
        self.vault = SealedVault(self.database.credentials, self.cipher)

    def sealed(self, tenant: TenantId, layer: Layer, name: str, value: str) -> Credential:
        """Return a credential as it is stored."""
        return sealed_for(self.cipher, Credential(tenant, layer, name, "", NOW, b""), Secret(value))

    async def put(self, tenant: TenantId, layer: Layer, name: str, value: str) -> Credential:
        """Store a credential."""
        credential = self.sealed(tenant, layer, name, value)
        assert await self.database.credentials.put(credential) is Kept.STORED
        return credential

    async def execute(self, statement: str, **given: Any) -> None:
        """Change rows past the store."""
        engine = create_async_engine(self.url)
        async with engine.begin() as connection:
            await connection.execute(text(statement), given)
        await engine.dispose()


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Strongroom]:
    """An empty one on a database of each kind."""
    async with AsyncExitStack() as stack:
        yield Strongroom(await open_database(database_url, stack, lease_seconds=60), database_url, {"first": FIRST})


async def test_random_layers_give_each_tenant_its_own_and_nothing_else(room: Strongroom) -> None:
    assert await crossings(room, credentials=60, lookups=150) == []


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_c9_ten_thousand_lookups_never_cross_a_tenant(room: Strongroom) -> None:
    assert await crossings(room, credentials=120, lookups=ROUNDS) == []


async def crossings(room: Strongroom, *, credentials: int, lookups: int) -> list[object]:
    """Store random credentials that say whose they are, look in random places, and return what was wrong."""
    chance, stored = Random(SEED), []
    for _ in range(credentials):
        tenant, name = chance.choice(TENANTS), chance.choice(NAMES)
        layer = Layer(chance.choice(PROJECTS), chance.choice(ENVIRONMENTS))
        stored.append(await room.put(tenant, layer, name, f"{tenant}/{layer.text}/{name}"))
    last = {(each.tenant, each.layer, each.name): each for each in stored}
    wrong: list[object] = []
    for _ in range(lookups):
        place = Place(chance.choice(TENANTS), chance.choice(PROJECTS), chance.choice(["production", "staging", "x"]))
        found = {name: secret.reveal() for name, secret in (await room.vault.environment(place)).items()}
        meant = {name: f"{each.tenant}/{each.layer.text}/{name}" for name, each in merge(last.values(), place).items()}
        name = chance.choice(NAMES)
        one = await room.vault.credential(place, name)
        if found != meant or (None if one is None else one.reveal()) != meant.get(name):
            wrong.append((place, found, meant))
        wrong += [value for value in found.values() if not value.startswith(f"{place.tenant}/")]
    return wrong


async def test_what_was_moved_to_another_row_is_not_read(room: Strongroom) -> None:
    theirs = await room.put(TenantId("a"), Layer(), "THEIRS", "theirs")
    await room.put(TenantId("b"), Layer(), "THEIRS", "b's own")
    await room.put(TenantId("a"), Layer("web"), "THEIRS", "web's")
    await room.put(TenantId("a"), Layer(), "OTHER", "other")

    moved = "UPDATE credentials SET sealed = :sealed WHERE NOT (tenant = 'a' AND layer = :layer AND name = 'THEIRS')"
    await room.execute(moved, sealed=theirs.sealed, layer=Layer().text)

    for place, name in (
        (Place(TenantId("b")), "THEIRS"),
        (Place(TenantId("a"), "web"), "THEIRS"),
        (Place(TenantId("a")), "OTHER"),
    ):
        with pytest.raises(CredentialUnreadable, match=f"{name}.*'first'") as refused:
            await room.vault.credential(place, name)
        assert "theirs" not in f"{refused.value!r} {refused.value.__cause__!r}"
    own = await room.vault.credential(Place(TenantId("a")), "THEIRS")
    assert own is not None
    assert own.reveal() == "theirs"


async def test_a_row_that_another_tenant_is_written_over_is_not_read(room: Strongroom) -> None:
    await room.put(TenantId("a"), Layer(), "KEY", "a's")

    await room.execute("UPDATE credentials SET tenant = 'b'")

    with pytest.raises(CredentialUnreadable):
        await room.vault.environment(Place(TenantId("b")))
    assert await room.vault.environment(Place(TenantId("a"))) == {}


async def test_what_a_key_sealed_that_is_gone_is_told_by_name_and_no_broader_one_takes_its_place(
    room: Strongroom,
) -> None:
    await room.put(TenantId("a"), Layer("web"), "KEY", "canary-web")
    room.keys = {"second": SECOND}
    await room.put(TenantId("a"), Layer(), "KEY", "canary-org")

    with pytest.raises(CredentialUnreadable, match=r"KEY.*'first'.*not in the key file") as refused:
        await room.vault.environment(Place(TenantId("a"), "web"))
    everywhere = await room.vault.environment(Place(TenantId("a")))

    assert (refused.value.name, refused.value.key_id) == ("KEY", "first")
    assert "canary" not in str(refused.value)
    assert {name: secret.reveal() for name, secret in everywhere.items()} == {"KEY": "canary-org"}


async def test_one_that_does_not_count_is_not_opened(room: Strongroom) -> None:
    await room.put(TenantId("a"), Layer(), "KEY", "old")
    room.keys = {"second": SECOND}
    await room.put(TenantId("a"), Layer("web"), "KEY", "new")

    found = await room.vault.environment(Place(TenantId("a"), "web"))

    assert {name: secret.reveal() for name, secret in found.items()} == {"KEY": "new"}


async def test_without_a_key_nothing_is_said_to_be_there_or_not(room: Strongroom) -> None:
    room.keys = {}

    with pytest.raises(SealKeyMissing):
        await room.vault.environment(Place(TenantId("a")))
    with pytest.raises(SealKeyMissing):
        await room.vault.credential(Place(TenantId("a")), "KEY")


async def test_no_value_is_in_a_row_in_any_spelling(room: Strongroom) -> None:
    await room.put(TenantId("a"), Layer(), "KEY", "canary-in-a-row")

    (row,) = await room.database.credentials.holding(Place(TenantId("a")))

    assert b"canary" not in row.sealed
    assert "canary" not in repr(row)
    assert "sealed" not in repr(row)


async def test_a_tenant_has_a_bounded_number_and_can_change_those_it_has(room: Strongroom) -> None:
    one = await room.put(TenantId("a"), Layer(), "FIRST", "1")
    rows = ", ".join(f"('a', '{Layer().text}', 'N{at}', :sealed, 'first', 0)" for at in range(MOST_OF_TENANT - 1))
    await room.execute(
        f"INSERT INTO credentials (tenant, layer, name, sealed, key_id, updated_at) VALUES {rows}", sealed=one.sealed
    )
    head = await room.database.credential_changes.heads([TenantId("a")])

    refused = await room.database.credentials.put(room.sealed(TenantId("a"), Layer(), "ONE_MORE", "x"))
    await room.put(TenantId("a"), Layer(), "FIRST", "2")
    await room.put(TenantId("b"), Layer(), "ONE_MORE", "x")

    assert refused is Kept.FULL
    assert len(await room.database.credentials.listed(TenantId("a"))) == MOST_OF_TENANT
    assert await room.database.credential_changes.heads([TenantId("a")]) == {"a": head[TenantId("a")] + 1}


async def test_a_session_that_is_gone_takes_no_credential(room: Strongroom) -> None:
    lost = room.sealed(TenantId("a"), Layer(session="ses_none"), "KEY", "x")  # type: ignore[arg-type]

    assert await room.database.credentials.put(lost) is Kept.SESSION_GONE


async def test_changes_are_numbered_without_a_gap_and_the_last_thousand_are_kept(room: Strongroom) -> None:
    changes, tenant = room.database.credential_changes, TenantId("a")
    await room.put(tenant, Layer("web"), "KEY", "x")
    assert await room.database.credentials.remove(tenant, Layer("web"), "KEY", NOW)
    assert not await room.database.credentials.remove(tenant, Layer("web"), "KEY", NOW)
    await room.execute("UPDATE credential_heads SET head = 1000")
    await room.execute("UPDATE credential_changes SET number = number + 998")
    last = await changes.announce(tenant, "github", NOW + timedelta(seconds=1))

    kept = [(each.number, each.kind, each.names, each.layer) for each in await changes.since(tenant, 0)]

    assert last.number == 1001
    assert kept == [
        (999, "set", ("KEY",), Layer("web")),
        (1000, "deleted", ("KEY",), Layer("web")),
        (1001, "github", (), Layer()),
    ]
    await room.execute("UPDATE credential_heads SET head = 2000")
    assert (await changes.announce(tenant, "aws", NOW)).number == 2001
    assert [each.number for each in await changes.since(tenant, 0)] == [2001]
    assert await changes.since(TenantId("b"), 0) == []


async def test_what_was_changed_meanwhile_is_not_sealed_anew(room: Strongroom) -> None:
    before = await room.put(TenantId("a"), Layer(), "KEY", "before")
    after = await room.put(TenantId("a"), Layer(), "KEY", "after")

    stale = await room.database.credentials.reseal(before, b"stale", "second")
    fresh = await room.database.credentials.reseal(after, before.sealed, "second")

    assert (stale, fresh) == (False, True)
    (row,) = await room.database.credentials.holding(Place(TenantId("a")))
    assert (row.sealed, row.key_id) == (before.sealed, "second")


async def test_what_other_keys_have_sealed_is_found_page_by_page(room: Strongroom) -> None:
    for at in range(60):
        await room.put(TenantId("a"), Layer(), f"N{at}", "x")
    await room.put(TenantId("b"), Layer(), "N", "x")
    store, found, behind = room.database.credentials, 0, None
    while page := await store.sealed_otherwise("second", TenantId("a"), behind):
        found, behind = found + len(page), page[-1]

    of_all = await store.sealed_otherwise("second", None, behind)

    assert found == 60
    assert [each.tenant for each in of_all] == ["b"]
    assert await store.sealed_otherwise("first", None, None) == []

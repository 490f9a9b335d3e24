"""The history in `migrations` ends at the tables that the code uses."""

import subprocess
import sys
from typing import Any, Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from hosting.adapters.sql.migrate import migrate, migrations_folder, newest_schema
from hosting.adapters.sql.our_tables import OUR_TABLES
from hosting.adapters.sql.tables import metadata
from hosting.domain.errors import StorageRefused

SLOW: Final = ("alembic", "asyncpg", "sqlalchemy.orm", "pydantic_ai", "mcp")


def differences(connection: Connection) -> list[Any]:
    """Return what a new migration would have to do."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def table_names(connection: Connection) -> set[str]:
    """Return the tables that are there, without the one that counts migrations."""
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


async def test_the_migrations_make_exactly_the_tables_that_the_code_uses(bare_database_url: str) -> None:
    engine = create_async_engine(bare_database_url)
    async with engine.begin() as connection:
        before = await connection.run_sync(differences)

        await connection.run_sync(migrate)

        after = await connection.run_sync(differences)
        names = await connection.run_sync(table_names)
    await engine.dispose()
    assert before, "an empty database must differ, or the comparison sees nothing"
    assert after == []
    assert names == set(OUR_TABLES)


async def test_migrating_again_changes_nothing(bare_database_url: str) -> None:
    engine = create_async_engine(bare_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)

    async with engine.begin() as connection:
        await connection.run_sync(migrate)
        after = await connection.run_sync(differences)

    await engine.dispose()
    assert after == []


async def test_a_database_that_a_newer_version_has_used_is_refused_with_a_word(bare_database_url: str) -> None:
    engine = create_async_engine(bare_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StorageRefused, match="a newer one has used it"):
        async with engine.begin() as connection:
            await connection.run_sync(migrate)

    await engine.dispose()


def test_the_newest_schema_is_where_the_history_ends() -> None:
    folder = migrations_folder()

    assert newest_schema(folder) == ScriptDirectory(str(folder)).get_current_head()


def test_a_server_on_sqlite_starts_without_what_only_postgresql_and_migrations_need() -> None:
    script = f"import hosting.cli.serve, sys; print([name for name in {SLOW!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"

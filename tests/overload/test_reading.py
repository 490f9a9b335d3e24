"""Long reads of one tenant leave room for those of others."""

import asyncio
from threading import Event

from sqlalchemy import Connection

from hosting.adapters.sql.address import read_url
from hosting.adapters.sql.reading import ReadingThreads
from hosting.adapters.sql.sqlite_file import sqlite_readers
from hosting.domain.share import SHARE

THREADS = 4


async def test_one_tenants_long_reads_leave_a_thread_to_others(sqlite_url: str) -> None:
    reading = ReadingThreads(sqlite_readers(read_url(sqlite_url), threads=THREADS), THREADS)
    release = Event()

    def long(connection: Connection) -> int:
        release.wait(10)
        return 0

    async def read_long() -> int:
        SHARE.set("crowd")
        return await reading.run(long)

    async def read() -> int:
        SHARE.set("other")
        return await reading.run(lambda connection: int(connection.exec_driver_sql("SELECT 7").scalar_one()))

    crowd = [asyncio.create_task(read_long()) for _ in range(10)]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*(asyncio.create_task(read()) for _ in range(3)))
        waiting = sum(not each.done() for each in crowd)
    finally:
        release.set()
    await asyncio.gather(*crowd)
    await reading.close()

    assert answers == [7, 7, 7]
    assert waiting == 10

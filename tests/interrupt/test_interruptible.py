"""Work and the interrupt that ends it, without anything around them."""

import asyncio

from events.ids import RunId
from events.interruption import InterruptionSource
from hosting.domain.interrupt import Interrupt
from hosting.runtime.interruptible import until_interrupted
from hosting.runtime.wakes import Inbox

WISH = Interrupt(RunId("run_1"), "Enough.", InterruptionSource.USER)


async def test_work_that_was_interrupted_before_is_not_begun() -> None:
    inbox, begun, told = Inbox(), asyncio.Event(), list[Interrupt]()
    inbox.put(WISH)

    async def work() -> None:
        begun.set()

    outcome = await until_interrupted(work, inbox, None, told.append)

    assert (outcome, told) == (WISH, [WISH])
    assert not begun.is_set()


async def test_an_interrupt_for_another_flow_lets_the_work_be() -> None:
    inbox, told = Inbox(), list[Interrupt]()

    async def work() -> None:
        inbox.put(Interrupt(WISH.run_id, "Enough.", WISH.source, flow="trn_1"))
        await asyncio.sleep(0)

    outcome = await until_interrupted(work, inbox, None, told.append)

    assert (outcome, told) == (None, [])


async def test_the_first_interrupt_counts_and_is_told_before_the_work_hears_of_it() -> None:
    inbox, happened = Inbox(), list[str]()

    async def work() -> None:
        inbox.put(WISH)
        inbox.put(Interrupt(WISH.run_id, "Now!", WISH.source))
        try:
            await asyncio.Event().wait()
        finally:
            happened.append("cancelled")

    outcome = await until_interrupted(work, inbox, None, lambda wish: happened.append(wish.reason))

    assert outcome == WISH
    assert happened == ["Enough.", "cancelled"]

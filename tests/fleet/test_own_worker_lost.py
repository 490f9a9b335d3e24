"""A worker of our own that is killed with a run."""

from typing import Final

from tests.fleet.own import Site, taken_over
from tests.harness.client import Client

LEASE_SECONDS: Final = 4.0


async def test_the_run_of_a_worker_that_is_killed_goes_on_at_another_when_its_lease_ends(
    site: Site, reader: Client
) -> None:
    await site.define(reader, "helper")

    log, returned, first, second = await taken_over(site, reader, lambda worker: worker.kill())

    assert (returned["workerId"], returned["reason"]) == (first.worker_id, "lease_expired")
    assert log[-1]["status"] == "completed"
    assert second.stop() == 0

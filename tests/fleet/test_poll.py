"""Polling: who is given what, and in which order."""

import asyncio

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import offer, offer_all, prompts
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent


async def test_work_comes_by_priority_then_by_age_and_five_at_a_time(client: Client) -> None:
    late, middle, urgent = [await define_worker_agent(client.http, f"p{each}", priority=each) for each in (3, 2, 1)]
    await offer_all(client, late, late, late, late, middle, middle, urgent)
    worker = await FleetWorker.register(client.http, capacity=10)

    first, second, third = await worker.poll(), await worker.poll(), await worker.poll()

    assert prompts(first) == ["Task 6", "Task 4", "Task 5", "Task 0", "Task 1"]
    assert prompts(second) == ["Task 2", "Task 3"]
    assert [item["priority"] for item in first["work"]] == [1, 2, 2, 3, 3]
    assert first["preClaimed"] is True
    assert first["claimedSessionIds"] == [item["sessionId"] for item in first["work"]]
    assert third == {
        "work": [],
        "inboxMessages": {},
        "hasInboxMessages": False,
        "preClaimed": False,
        "claimedSessionIds": [],
    }


async def test_an_item_says_all_that_both_kinds_of_workers_read_and_numbers_are_numbers(client: Client) -> None:
    agent = await define_worker_agent(client.http, "poet", projectName="verse", priority=4)
    offered = await offer(client, agent, "A line, please.")
    worker = await FleetWorker.register(client.http)

    item = await worker.claimed()

    assert type(item.pop("queuedAt")) is int
    assert item.pop("sessionId").startswith("wse_")
    assert item == {
        "issueId": f"{offered.session}.main",
        "issueIdentifier": f"{offered.session}.main",
        "priority": 4,
        "prompt": "A line, please.",
        "body": "A line, please.",
        "workType": "research",
        "projectName": "verse",
        "sourceSessionId": offered.session,
        "organizationId": "local",
        "agentId": agent,
        "agentName": "poet",
    }


async def test_a_worker_is_given_no_more_than_it_has_room_for_by_the_servers_count(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer_all(client, agent, agent, agent, agent)
    worker = await FleetWorker.register(client.http, capacity=2)

    first, full = await worker.poll(), await worker.poll()
    await worker.told(first["claimedSessionIds"][0], "status", status="completed")
    second = await worker.poll()

    assert prompts(first) == ["Task 0", "Task 1"]
    assert prompts(full) == []
    assert prompts(second) == ["Task 2"]


async def test_workers_that_poll_at_once_never_share_an_item(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer_all(client, *[agent] * 24)
    workers = [await FleetWorker.register(client.http, capacity=100) for _ in range(6)]

    rounds = [await asyncio.gather(*(worker.poll() for worker in workers)) for _ in range(3)]

    claimed = [session for polls in rounds for polled in polls for session in polled["claimedSessionIds"]]
    assert len(claimed) == 24
    assert len(set(claimed)) == 24


async def test_work_of_another_project_keeps_its_place_and_work_of_none_is_for_everyone(client: Client) -> None:
    blue = await define_worker_agent(client.http, "blue", projectName="blue")
    red = await define_worker_agent(client.http, "red", projectName="red")
    free = await define_worker_agent(client.http, "free")
    await offer_all(client, red, blue, free, red, blue)
    painter = await FleetWorker.register(client.http, projects=["blue"])
    anyone = await FleetWorker.register(client.http, key=SHARED_KEY)

    seen = await painter.poll()
    left = await anyone.poll()

    assert prompts(seen) == ["Task 1", "Task 2", "Task 4"]
    assert prompts(left) == ["Task 0", "Task 3"]


async def test_a_worker_with_agents_is_given_their_work_only_by_id_or_name(client: Client) -> None:
    poet = await define_worker_agent(client.http, "poet")
    critic = await define_worker_agent(client.http, "critic")
    await offer_all(client, critic, poet, poet)
    by_id = await FleetWorker.register(client.http, agentIds=[poet], capacity=1)
    by_name = await FleetWorker.register(client.http, agentIds=["poet"])

    assert prompts(await by_id.poll()) == ["Task 1"]
    assert prompts(await by_name.poll()) == ["Task 2"]


async def test_a_conversation_goes_on_in_the_providers_session_of_the_run_before(client: Client) -> None:
    poet = await define_worker_agent(client.http, "poet")
    critic = await define_worker_agent(client.http, "critic")
    first = await offer(client, poet)
    worker = await FleetWorker.register(client.http)
    opened = await worker.claimed()
    await worker.told(opened["sessionId"], "status", status="running", providerSessionId="thread-1")
    await worker.told(opened["sessionId"], "status", status="completed")

    await offer(client, critic, "And you?", first.session)
    other = await worker.claimed()
    await worker.told(other["sessionId"], "status", status="completed")
    await offer(client, poet, "Go on.", first.session)
    resumed = await worker.claimed()

    assert "providerSessionId" not in opened
    assert "providerSessionId" not in other
    assert resumed["providerSessionId"] == "thread-1"


async def test_a_poll_of_a_worker_that_is_not_there_says_so_in_the_words_that_workers_look_for(client: Client) -> None:
    worker = await FleetWorker.register(client.http, key=SHARED_KEY)

    missing = await client.http.get("/api/workers/wkr_0/poll", headers=worker.headers)

    assert missing.status_code == 404
    assert missing.json()["message"] == "Worker not found"


async def test_a_poll_with_another_workers_token_is_refused(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer(client, agent)
    one, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)

    refused = await client.http.get(f"/api/workers/{one.id}/poll", headers=other.headers)

    assert refused.status_code == 403
    assert refused.json()["error"] == "Forbidden"
    assert len((await one.poll())["work"]) == 1


async def test_a_server_that_starts_again_loses_no_claim(client: Client, server: ServerProcess) -> None:
    agent = await define_worker_agent(client.http)
    offered = await offer(client, agent)
    worker, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    item = await worker.claimed()
    await worker.told(item["sessionId"], "status", status="running")

    server.kill()
    server.start()
    async with Client(server.url) as again:
        worker.http = other.http = again.http
        nothing = await other.poll()
        await worker.say(item["sessionId"], "Still here.")
        await worker.told(item["sessionId"], "status", status="completed")
        run = await again.run(offered.session, offered.run)

    assert prompts(nothing) == []
    assert run["status"] == "completed"

"""How far a worker is, and where its work can be looked at."""

import httpx

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import bearer
from tests.fleet.reporting import assigned, state, told_of
from tests.harness.order import check_log
from tests.harness.worker import FleetWorker

LINKS = [{"label": "Pull request", "url": "https://example.org/pull/1"}, {"label": "Log", "url": "http://example.org/"}]
MALFORMED = {
    "progress": [
        "",
        "[]",
        "{}",
        '{"message": ""}',
        '{"message": 1}',
        '{"milestone": "tests"}',
        '{"message": "Go", "milestone": "lunch"}',
        '{"message": "Go", "milestone": 3}',
    ],
    "external-urls": [
        "",
        "[]",
        "{}",
        '{"externalUrls": {}}',
        '{"externalUrls": ["https://example.org"]}',
        '{"externalUrls": [{"label": "a"}]}',
        '{"externalUrls": [{"label": "", "url": "https://example.org"}]}',
        '{"externalUrls": [{"label": "a", "url": "javascript:alert(1)"}]}',
        '{"externalUrls": [{"label": "a", "url": "example.org"}]}',
    ],
}


async def test_progress_is_told_with_its_milestone(local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    answers = [
        await work.worker.told(work.id, "progress", milestone="tests", message="Running tests"),
        await work.worker.told(work.id, "progress", message="Still at it"),
    ]
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    told = [(event.get("milestone"), event["message"]) for event in told_of(log, "WORK_PROGRESS")]
    assert answers == [{"posted": True, "milestone": "tests"}, {"posted": True}]
    assert told == [("tests", "Running tests"), (None, "Still at it")]


async def test_links_are_kept_and_told_and_need_no_name_of_a_worker(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    path = f"/api/sessions/{work.id}/external-urls"

    own = await work.worker.told(work.id, "external-urls", externalUrls=LINKS[:1], workspaceId="w")
    keyed = await local.post(path, json={"externalUrls": LINKS}, headers=bearer(SHARED_KEY))
    kept = (await state(work))["externalUrls"]
    none = await work.worker.told(work.id, "external-urls", externalUrls=[])
    cleared = await state(work)
    await work.worker.told(work.id, "status", status="completed")
    late = await local.post(path, json={"externalUrls": LINKS}, headers=bearer(SHARED_KEY))
    unknown = await local.post(path.replace(work.id, "wse_0"), json={"externalUrls": []}, headers=bearer(SHARED_KEY))

    assert own == {"updated": True, "externalUrls": LINKS[:1]}
    assert keyed.json() == {"updated": True, "externalUrls": LINKS}
    assert kept == LINKS
    assert none == {"updated": True, "externalUrls": []}
    assert "externalUrls" not in cleared
    told = told_of(await work.client.log(work.session), "WORK_ACTIVITY")
    assert [event["details"]["externalUrls"] for event in told] == [LINKS[:1], LINKS, []]
    assert (late.status_code, late.json()["updated"]) == (200, False)
    assert "completed" in late.json()["reason"]
    assert unknown.status_code == 404


async def test_links_of_another_workers_session_are_refused(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    other = await FleetWorker.register(local, agentIds=["none"])

    answer = await other.report(work.id, "external-urls", externalUrls=LINKS)

    assert (answer.status_code, answer.json()["message"]) == (403, "Session is owned by another worker")
    assert "externalUrls" not in await state(work)


async def test_malformed_reports_are_refused_and_change_nothing(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    log = await work.client.log_text(work.session)

    for verb, bodies in MALFORMED.items():
        for body in bodies:
            headers = work.worker.headers | {"Content-Type": "application/json"}
            answer = await local.post(f"/api/sessions/{work.id}/{verb}", content=body, headers=headers)
            assert answer.status_code == 400, (verb, body)
            assert answer.json()["error"] == "Bad Request"
            assert answer.json()["message"]

    assert log == await work.client.log_text(work.session)


async def test_prompts_are_gone_and_what_was_never_there_is_not_found(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    headers = work.worker.headers
    prompts = f"/api/sessions/{work.id}/prompts"
    never = [
        ("POST", f"/api/sessions/{work.id}/tool-error"),
        ("POST", f"/api/sessions/{work.id}/security-scan"),
        ("POST", f"/api/daemon/sessions/{work.id}/execution-events"),
        ("GET", "/api/daemon/mutations"),
        ("DELETE", "/api/daemon/mutations/mut_1"),
        ("GET", f"/api/sessions/{work.id}/recovery-packet"),
        ("GET", f"/api/sessions/{work.id}/recovery-chain"),
        ("GET", "/api/cleanup"),
    ]

    gone = [await local.request(method, prompts, headers=headers) for method in ("GET", "POST")]
    missing = [await local.request(method, path, headers=headers) for method, path in never]

    assert [(answer.status_code, answer.json()["error"]) for answer in gone] == [(410, "Gone")] * 2
    assert [answer.status_code for answer in missing] == [404] * len(never)

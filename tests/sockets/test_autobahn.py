"""RFC 6455 by a second opinion: the Autobahn test suite, which needs a Python 2.7 of its own.

`pip install autobahntestsuite==0.8.2` there, then `AUTOBAHN=.../bin/wstest make campaigns ROW=d7`.
"""

import asyncio
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.sockets.echo import PATH, echoing

CASES = [f"{group}.*" for group in (1, 2, 3, 4, 5, 6, 7, 10)]
NOT_FAILED = {"OK", "NON-STRICT", "INFORMATIONAL"}


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_d7_the_autobahn_test_suite_finds_nothing(tmp_path: Path, sqlite_url: str) -> None:
    wstest = os.environ.get("AUTOBAHN") or shutil.which("wstest")
    if wstest is None:
        pytest.skip("the Autobahn test suite is not installed; AUTOBAHN names its wstest")
    async with echoing(sqlite_url) as base:
        server = {"agent": "branchline", "url": f"{base.replace('http', 'ws', 1)}{PATH}"}
        plan = {"outdir": str(tmp_path / "report"), "servers": [server], "cases": CASES, "exclude-cases": []}
        (tmp_path / "plan.json").write_text(json.dumps(plan))

        running = await asyncio.create_subprocess_exec(
            wstest, "-m", "fuzzingclient", "-s", str(tmp_path / "plan.json"), stdout=asyncio.subprocess.DEVNULL
        )
        assert await running.wait() == 0

    cases = json.loads((tmp_path / "report" / "index.json").read_text())["branchline"]
    verdicts = Counter(case["behavior"] for case in cases.values())
    closings = Counter(case["behaviorClose"] for case in cases.values())
    failed = [name for name, case in cases.items() if not {case["behavior"], case["behaviorClose"]} <= NOT_FAILED]
    print(f"d7 {len(cases) - len(failed)} ok / {len(cases)}: {dict(verdicts)}, closings {dict(closings)}")
    assert failed == []
    assert len(cases) > 240

"""What `branchline serve` says when it listens."""

from pathlib import Path

from tests.docs.program import Program

WORDS = "async def cleaner(context): ...\nasync def tidier(context): ...\n"


async def test_it_says_whom_it_hosts_and_proposes_the_first_agent_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text(WORDS)
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "poet.toml").write_text('runtime = "worker"\nworkType = "verse"\n')
    program = await Program.start("-m", "hosting", "serve", "words.py", "--port", "0", folder=tmp_path)

    try:
        hosted = (await program.find("It hosts .*?[.]"))[0]
        proposed = [
            (await program.find(r"/agents/(\w+)/sessions/demo/branches/main/(?:events|inputs)"))[1] for _ in "ab"
        ]
    finally:
        await program.kill()

    assert hosted == "It hosts demo, cleaner, tidier, poet (its runs are for workers)."
    assert proposed == ["cleaner", "cleaner"]


async def test_an_agent_that_only_workers_can_run_is_not_proposed(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "poet.toml").write_text('runtime = "worker"\nworkType = "verse"\n')
    program = await Program.start("-m", "hosting", "serve", "--port", "0", folder=tmp_path)

    try:
        hosted = (await program.find("It hosts .*?[.]"))[0]
        proposed = (await program.find(r"/agents/(\w+)/sessions/demo/branches/main/events"))[1]
    finally:
        await program.kill()

    assert (hosted, proposed) == ("It hosts demo, poet (its runs are for workers).", "demo")

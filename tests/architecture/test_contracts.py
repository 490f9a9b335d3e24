"""The import contracts: they hold, they leave nothing out, and they can fail."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.architecture.sources import ROOT, SRC

# A line that breaks each contract, and the module it is written to.
OFFENCES = {
    "packages": ("events/sse.py", "import middleware.errors"),
    "hosting": ("hosting/api/views.py", "import hosting.dispatch.dispatcher"),
    "domain": ("hosting/domain/scope.py", "import hosting.domain.lease"),
    "ports": ("hosting/ports/clock.py", "import hosting.ports.store"),
    "middleware": ("middleware/timeout.py", "import middleware.error_formatting"),
    "events": ("events/a_new_family.py", "import events.event"),
    "cycles": ("hosting/adapters/sql/times.py", "import hosting.adapters.sql.rows"),
    "adapters": ("hosting/adapters/agents/demo.py", "import hosting.adapters.sql.times"),
    "services": ("hosting/services/relay/frames.py", "import hosting.services.fleet.poll"),
    "tokens": ("hosting/adapters/sql/api_keys.py", "import jwt"),
    "secrets": ("hosting/domain/secret.py", "import cryptography"),
    "doors": ("hosting/adapters/agents/function.py", "import hosting.runtime.core"),
    "client": ("hosting/client/__init__.py", "import hosting.domain.scope"),
    "core": ("hosting/runtime/tops.py", "import httpx"),
    "litestar": ("hosting/settings.py", "import litestar"),
    "terminal": ("hosting/dispatch/dispatcher.py", "import uvicorn"),
    "http": ("hosting/api/health.py", "import httpx"),
    "sql": ("hosting/bootstrap.py", "import sqlalchemy"),
    "models": ("hosting/adapters/agents/docstring.py", "import pydantic_ai"),
}


def linter() -> dict[str, Any]:
    """Return the linter's settings."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    return settings


def broken_contracts(root: Path) -> set[str]:
    """Check the code in a folder; return the names of the contracts that are broken."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", done.stdout, re.MULTILINE))
    assert {contract["name"] for contract in linter()["contracts"]} == set(verdicts), done.stdout + done.stderr
    return {name for name, verdict in verdicts.items() if verdict == "BROKEN"}


def test_the_contracts_cover_every_package() -> None:
    packages = {path.name for path in SRC.iterdir() if (path / "__init__.py").is_file()}

    assert set(linter()["root_packages"]) == packages


def test_no_contract_has_an_exception() -> None:
    exceptions = {"ignore_imports", "exhaustive_ignores", "skip_descendants", "allow_indirect_imports"}

    assert [contract["name"] for contract in linter()["contracts"] if exceptions & set(contract)] == []


def test_every_contract_about_the_inside_of_a_package_names_all_of_it() -> None:
    inside = [contract for contract in linter()["contracts"] if "containers" in contract]

    assert inside
    assert [contract["name"] for contract in inside if not contract.get("exhaustive")] == []


def test_the_contracts_hold() -> None:
    assert broken_contracts(ROOT) == set()


def test_every_contract_can_fail(tmp_path: Path) -> None:
    shutil.copytree(SRC, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for place, line in OFFENCES.values():
        with (tmp_path / "src" / place).open("a") as module:
            module.write(f"\n{line}\n")

    broken = broken_contracts(tmp_path)

    assert set(OFFENCES) == {contract["id"] for contract in linter()["contracts"]}
    assert broken == {contract["name"] for contract in linter()["contracts"]}

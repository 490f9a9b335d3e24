"""Everything that `make install` installs is pinned, by name and version alone."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.conftest import ROOT

PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+]+)")


def pins() -> dict[str, str]:
    """Return the pinned versions by name."""
    matches = [PIN.fullmatch(line) for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()]
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def test_the_constraints_are_names_and_versions_and_no_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()

    assert [line for line in lines if not PIN.fullmatch(line)] == []
    assert len(pins()) == len(lines)


def test_every_requirement_is_pinned_to_a_version_it_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    stated = [*project["dependencies"], *(one for group in project["optional-dependencies"].values() for one in group)]

    requirements = [Requirement(text) for text in stated]

    pinned = pins()
    unpinned = [one.name for one in requirements if canonicalize_name(one.name) not in pinned]
    refused = [
        one.name for one in requirements if not one.specifier.contains(pinned.get(canonicalize_name(one.name), "0"))
    ]
    assert (unpinned, refused) == ([], [])

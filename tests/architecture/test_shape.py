"""The shape of the code: short files, short functions, names that say something."""

from events.catalog import Catalog
from tests.architecture.sources import ROOT, SRC, functions, length, modules

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 35
VAGUE = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def test_no_file_is_longer_than_400_lines() -> None:
    lines = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in modules()}

    assert {path: count for path, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_35_lines() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": length(function)
        for path in modules()
        for function in functions(path)
    }

    assert {name: count for name, count in lengths.items() if count > MAX_FUNCTION_LINES} == {}


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    paths = [path.relative_to(ROOT) for folder in (SRC, ROOT / "tests") for path in modules(folder)]

    assert [path for path in paths if VAGUE & {*path.with_suffix("").parts}] == []


def test_every_event_and_input_says_what_it_promises() -> None:
    classes = dict(Catalog.standard())

    assert classes
    assert [name for name, cls in classes.items() if not (cls.__dict__.get("__doc__") or "").strip()] == []

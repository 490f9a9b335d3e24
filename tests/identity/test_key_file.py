"""The file of the signing keys."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import KeyFile, add_key, ensure_key_file, signing_keys
from hosting.domain.admission import KeyFileRefused

SECRET = "A" * 43
BROKEN = {
    "nothing": ("", "there is no key in it"),
    "only words": ("# no key yet\n\n", "there is no key in it"),
    "no id": (f"{SECRET}\n", "line 1"),
    "no secret": ("key-1\n", "line 1"),
    "a short secret": (f"key-1 {SECRET}\nkey-2 {'A' * 42}\n", "line 2"),
    "no base64": (f"key-1 {'!' * 43}\n", "line 1"),
    "three words": (f"key-1 {SECRET} old\n", "line 1"),
    "an id twice": (f"key-1 {SECRET}\nkey-1 {SECRET}\n", "line 2 has an id"),
}


def test_of_many_that_make_it_at_once_one_does_and_all_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with ThreadPoolExecutor(16) as threads:
        made = list(threads.map(lambda _: ensure_key_file(path), range(64)))
        read = list(threads.map(lambda _: KeyFile(path).keys(), range(16)))

    assert made.count(True) == 1
    assert [each == read[0] for each in read] == [True] * 16
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]


def test_of_many_keys_added_at_once_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ensure_key_file(path)
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda _: add_key(path), range(24)))

    assert set(added) < set(KeyFile(path).keys())
    assert len(KeyFile(path).keys()) == 25
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]


def test_a_line_that_is_added_counts_at_once_and_words_between_do_not(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# the first\nkey-1 {SECRET}=\n")
    file = KeyFile(path)
    before = list(file.keys())

    path.write_text(f"# the first\nkey-1 {SECRET}=\n\n  # and\n  key-2   {'B' * 43}")
    added = add_key(path)

    assert before == ["key-1"]
    assert list(file.keys()) == ["key-1", "key-2", added]


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    ensure_key_file(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")

    added = add_key(tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert added in list(KeyFile(tmp_path / "real").keys())


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_told_by_its_line_and_not_by_what_it_holds(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)

    with pytest.raises(KeyFileRefused, match=said) as refused:
        KeyFile(path)
    with pytest.raises(KeyFileRefused, match=said):
        add_key(path)

    assert "AAAA" not in str(refused.value)
    assert path.read_text() == text


def test_a_file_that_breaks_later_leaves_the_keys_that_were_read(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ensure_key_file(path)
    file = KeyFile(path)
    before = file.keys()

    path.write_text("half a li")
    while_broken = file.keys()
    path.unlink()
    while_gone = file.keys()
    ensure_key_file(path)

    assert before == while_broken == while_gone
    assert list(file.keys()) != list(before)


def test_without_a_name_and_without_a_file_beside_there_are_no_keys(tmp_path: Path) -> None:
    assert dict(signing_keys(None, None)()) == {}
    assert len(signing_keys(None, tmp_path / "beside")()) == 1
    with pytest.raises(KeyFileRefused, match="No such file"):
        signing_keys(str(tmp_path / "named"), tmp_path / "beside")


def test_a_file_that_cannot_be_made_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused, match="it cannot be made: No such file or directory"):
        ensure_key_file(tmp_path / "no" / "keys")
    (tmp_path / "folder").mkdir()
    with pytest.raises(KeyFileRefused, match="Is a directory"):
        KeyFile(tmp_path / "folder")
    assert os.listdir(tmp_path) == ["folder"]

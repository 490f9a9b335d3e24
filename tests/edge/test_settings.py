"""A setting that cannot be used is named as its owner knows it, with what is expected of it."""

from pathlib import Path

import msgspec
import pytest

from hosting.settings import Settings, SettingsRefused, load_settings


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORT", "abc", "BRANCHLINE_PORT must be a whole number from 0 to 65535, not 'abc'."),
        ("PORT", "65536", "BRANCHLINE_PORT must be a whole number from 0 to 65535, not '65536'."),
        ("LEASE_SECONDS", "nan", "BRANCHLINE_LEASE_SECONDS must be a number from 0.3 to 3600, not 'nan'."),
        ("SWEEP_SECONDS", "0", "BRANCHLINE_SWEEP_SECONDS must be a number above 0 and up to 86400, not '0'."),
        ("PRT", "1", "There is no setting BRANCHLINE_PRT. Perhaps BRANCHLINE_PORT is meant."),
        ("DATABASE", "x", "There is no setting BRANCHLINE_DATABASE. Perhaps BRANCHLINE_DATABASE_URL is meant."),
        ("ZEBRA", "1", "There is no setting BRANCHLINE_ZEBRA."),
        ("ZE\nBRA\udcff", "1", r"There is no setting 'BRANCHLINE_ZE\nBRA\udcff'."),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path, variable: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load_settings({f"BRANCHLINE_{variable}": value}, tmp_path)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('port = "abc"', "port in branchline.toml must be a whole number from 0 to 65535, not 'abc'."),
        ("port = true", "port in branchline.toml must be a whole number from 0 to 65535, not True."),
        ("host = 7", "host in branchline.toml must be a text, not 7."),
        ("prt = 1", "There is no setting prt in branchline.toml. Perhaps port is meant."),
        ("BRANCHLINE_PORT = 1", "There is no setting BRANCHLINE_PORT in branchline.toml. Perhaps port is meant."),
    ],
)
def test_a_member_of_the_file_that_cannot_be_used_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "branchline.toml").write_text(line)

    with pytest.raises(SettingsRefused) as refused:
        load_settings({}, tmp_path)

    assert str(refused.value) == sentence


def test_a_long_value_is_not_said_back_whole(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load_settings({"BRANCHLINE_PORT": "9" * 5000}, tmp_path)

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(Settings)])
def test_what_is_expected_of_a_setting_has_no_hole(tmp_path: Path, name: str) -> None:
    (tmp_path / "branchline.toml").write_text(f"{name} = [[]]")

    with pytest.raises(SettingsRefused, match=f"^{name} in branchline.toml must be a ") as refused:
        load_settings({}, tmp_path)

    assert "None" not in str(refused.value)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "branchline.toml").write_text('port = "overruled"\nhost = "::1"')

    settings = load_settings({"BRANCHLINE_PORT": "17", "BRANCHLINE_URL": "for clients"}, tmp_path)

    assert (settings.host, settings.port) == ("::1", 17)

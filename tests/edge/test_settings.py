"""A setting that cannot be used is named as its owner knows it, with what is expected of it."""

from pathlib import Path

import msgspec
import pytest

from hosting.settings import Settings, SettingsRefused, load_settings

FORM_OF_ORIGIN = "an origin is a scheme, a host and perhaps a port, such as https://chat.example, with nothing behind."
ANY_PAGE = "any page that somebody opens could then use the server in their place. Name each origin."
NO_SITE = "local files and boxed-in pages of every site have that origin. Serve the page from a site and name it."


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORT", "abc", "BRANCHLINE_PORT must be a whole number from 0 to 65535, not 'abc'."),
        ("PORT", "65536", "BRANCHLINE_PORT must be a whole number from 0 to 65535, not '65536'."),
        ("LEASE_SECONDS", "nan", "BRANCHLINE_LEASE_SECONDS must be a number from 0.3 to 3600, not 'nan'."),
        ("SWEEP_SECONDS", "0", "BRANCHLINE_SWEEP_SECONDS must be a number above 0 and up to 86400, not '0'."),
        ("ORIGINS", "a.example", f"BRANCHLINE_ORIGINS cannot hold 'a.example': {FORM_OF_ORIGIN}"),
        (
            "ORIGINS",
            "https://a.example/chat",
            f"BRANCHLINE_ORIGINS cannot hold 'https://a.example/chat': {FORM_OF_ORIGIN}",
        ),
        ("ORIGINS", "https://a.example,*", f"BRANCHLINE_ORIGINS cannot hold '*': {ANY_PAGE}"),
        ("ORIGINS", "null", f"BRANCHLINE_ORIGINS cannot hold 'null': {NO_SITE}"),
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
        (
            'origins = "https://a.example"',
            "origins in branchline.toml must be a list of texts, not 'https://a.example'.",
        ),
        ("origins = [7]", "origins in branchline.toml must be a list of texts, not [7]."),
        ('origins = ["*"]', f"origins in branchline.toml cannot hold '*': {ANY_PAGE}"),
        ('origins = [""]', f"origins in branchline.toml cannot hold '': {FORM_OF_ORIGIN}"),
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

    with pytest.raises(SettingsRefused, match=f"^{name} in branchline.toml must be (a |true or false)") as refused:
        load_settings({}, tmp_path)

    assert "None" not in str(refused.value)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "branchline.toml").write_text('port = "overruled"\nhost = "::1"')

    settings = load_settings({"BRANCHLINE_PORT": "17", "BRANCHLINE_URL": "for clients"}, tmp_path)

    assert (settings.host, settings.port) == ("::1", 17)


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Chat.Example", "https://chat.example"),
        ("https://chat.example:443", "https://chat.example"),
        ("http://chat.example:80", "http://chat.example"),
        ("http://chat.example:443", "http://chat.example:443"),
        ("HTTP://localhost:03000", "http://localhost:3000"),
        ("http://[0:0:0:0:0:0:0:1]:5173", "http://[::1]:5173"),
        ("tauri://localhost", "tauri://localhost"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(tmp_path: Path, given: str, origin: str) -> None:
    (tmp_path / "branchline.toml").write_text(f'origins = ["{given}"]')

    assert load_settings({}, tmp_path).origins == (origin,)
    assert load_settings({"BRANCHLINE_ORIGINS": given}, tmp_path).origins == (origin,)
    assert Settings(origins=(given,)).origins == (origin,)


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "https:a.example",
        "//a.example",
        "https://a.example/",
        "https://a.example?x",
        "https://a.example#x",
        "https://me@a.example",
        "https://*.example",
        "https://a.example:0",
        "https://a.example:65536",
        "https://a.example:",
        "https://a.example:x",
        "https://a.example b.example",
        "https://b\u00fccher.example",
        "https://\u212aey.example",
        "https://a.example\n",
        "https://[::g]",
        "https://[::1",
        "https://[1.2.3.4]",
        "https://\u0661.example",
    ],
)
def test_what_no_browser_would_send_as_an_origin_is_refused(text: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        Settings(origins=("https://fine.example", text))

    assert str(refused.value) == f"origins cannot hold {text!r}: {FORM_OF_ORIGIN}"


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", ()),
        (" , ", ()),
        ("https://a.example", ("https://a.example",)),
        (" https://b.example , https://a.example,", ("https://b.example", "https://a.example")),
        ("https://a.example,HTTPS://A.EXAMPLE:443", ("https://a.example",)),
    ],
)
def test_in_the_environment_origins_are_parted_by_commas(tmp_path: Path, value: str, origins: tuple[str, ...]) -> None:
    assert load_settings({"BRANCHLINE_ORIGINS": value}, tmp_path).origins == origins

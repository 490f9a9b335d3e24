"""What a run may be configured with: a member that is not honoured is refused, never ignored."""

import json
from datetime import timedelta

import pytest

from hosting.domain.errors import InvalidInput, RunConfigRefused
from hosting.domain.run_config import RunConfig, check_run_config


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("PT5M", timedelta(minutes=5)),
        ("00:05:00", timedelta(minutes=5)),
        ("0:05:00", timedelta(minutes=5)),
        ("PT0.5S", timedelta(seconds=0.5)),
        ("00:00:00.5", timedelta(seconds=0.5)),
        ("00:00:01.2500000", timedelta(seconds=1.25)),
        ("PT1H30M", timedelta(minutes=90)),
        ("P1DT1H", timedelta(hours=25)),
        ("P7D", timedelta(days=7)),
        ("99:59:59", timedelta(hours=99, minutes=59, seconds=59)),
    ],
)
def test_a_timeout_is_read_in_both_forms(written: str, meant: timedelta) -> None:
    assert RunConfig(run_timeout=meant) == check_run_config(json.dumps({"runTimeout": written}).encode())


@pytest.mark.parametrize("config", [b"{}", b"null", b'{"runTimeout":null}', b'{"anything":null}'])
def test_nothing_given_is_nothing_configured(config: bytes) -> None:
    assert check_run_config(config) == RunConfig()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5",
        "5m",
        "PT",
        "P",
        "-PT5M",
        "PT-5M",
        "PT0S",
        "00:00:00",
        "00:00:00.0000001",
        "P7DT1S",
        "P1000000000D",
        "P1Y",
        "P1W",
        "100:00:00",
        "00:60:00",
        "00:00:60",
        "00:05",
        " 00:05:00",
        "00:05:00\n",
        "00:05:00.",
        "00:05:00.12345678",
        "٠٠:٠٥:٠٠",
        "x" * 5000,
        5,
        0.5,
        True,
        [],
        {},
        ["PT5M"],
    ],
)
def test_another_form_of_a_timeout_is_refused_in_a_short_sentence(written: object) -> None:
    with pytest.raises(InvalidInput, match=r"runConfig\.runTimeout") as refused:
        check_run_config(json.dumps({"runTimeout": written}).encode())

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("config", [b"[]", b'"PT5M"', b"7", b"true"])
def test_what_is_no_object_is_refused(config: bytes) -> None:
    with pytest.raises(InvalidInput, match="must be an object"):
        check_run_config(config)


@pytest.mark.parametrize(
    "member", ["useCache", "uploadStrategy", "audio", "model", "RunTimeout", "runtimeout", "run_timeout", ""]
)
@pytest.mark.parametrize("value", ["x", 0, False, [], {}])
def test_a_member_that_is_not_honoured_is_refused_and_named(member: str, value: object) -> None:
    with pytest.raises(RunConfigRefused) as refused:
        check_run_config(json.dumps({"runTimeout": "PT5M", member: value}).encode())

    assert f"`runConfig.{member}`" in str(refused.value)


def test_the_name_of_a_refused_member_is_cut_short() -> None:
    with pytest.raises(RunConfigRefused) as refused:
        check_run_config(json.dumps({"x" * 5000: 1}).encode())

    assert len(str(refused.value)) < 300

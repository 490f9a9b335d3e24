"""What a typed line means."""

import pytest

from events.clarification import ClarificationRequest
from events.continuation import ContinuationRequest
from events.permissions import PermissionChoice, PermissionRequest
from hosting.cli.asking.questions import ClarificationQuestion, ContinuationQuestion, PermissionQuestion

ASK, ALLOW, DENY = PermissionChoice.ASK, PermissionChoice.ALLOW_ALWAYS, PermissionChoice.DENY_ALWAYS
PERMISSION = PermissionRequest(
    permission_id="req_1", source_name="Permission", function_name="run", call_id="c1", arguments={}
)


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("y", (True, ASK, None)),
        (" YES ", (True, ASK, None)),
        ("yes.", (True, ASK, None)),
        ("n", (False, ASK, None)),
        ("No, too late for that", (False, ASK, "too late for that")),
        ("a", (True, ALLOW, None)),
        ("always", (True, ALLOW, None)),
        ("v", (False, DENY, None)),
        ("never do this", (False, DENY, "do this")),
    ],
)
def test_a_permission_is_given_or_refused_by_a_word(
    typed: str, meaning: tuple[bool, PermissionChoice, str | None]
) -> None:
    response = PermissionQuestion(PERMISSION).read(typed)

    assert response is not None
    assert meaning == (response.approved, response.choice, response.reason)
    assert response.contradiction() is None


@pytest.mark.parametrize("typed", ["", " ", "yn", "yes no", "always but", "1", "ok", "yessir", "ye", "да"])
def test_anything_else_is_no_answer_about_a_permission(typed: str) -> None:
    assert PermissionQuestion(PERMISSION).read(typed) is None


@pytest.mark.parametrize(
    ("typed", "approved", "more"),
    [("y", True, 0), ("YES", True, 0), ("y 5", True, 5), ("7", True, 7), ("n", False, 0), ("no", False, 0)],
)
def test_a_run_goes_on_by_a_word_or_a_number(typed: str, approved: bool, more: int) -> None:
    request = ContinuationRequest(continuation_id="req_1", source_name="C", current_iteration=4, max_iterations=3)

    response = ContinuationQuestion(request).read(typed)

    assert response is not None
    assert (approved, more) == (response.approved, response.extension_amount)


@pytest.mark.parametrize("typed", ["", "maybe", "n 5", "0", "y 0", "-1", "1.5", "y 5 6", "9999999", "٣", "5 y"])
def test_anything_else_lets_no_run_go_on(typed: str) -> None:
    request = ContinuationRequest(continuation_id="req_1", source_name="C", current_iteration=4, max_iterations=3)

    assert ContinuationQuestion(request).read(typed) is None


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("1", "red"),
        (" 3 ", "7"),
        ("7", "7"),
        ("4", "4"),
        ("0", "0"),
        ("²", "²"),
        ("red ", "red"),
        ("pale blue", "pale blue"),
    ],
)
def test_a_clarification_is_an_option_or_what_was_typed(typed: str, answer: str) -> None:
    request = ClarificationRequest(request_id="req_1", source_name="C", question="Which?", options=("red", "blue", "7"))

    response = ClarificationQuestion(request).read(typed)

    assert response is not None
    assert answer == response.answer


def test_long_arguments_are_listed_whole_and_only_what_nobody_could_read_is_cut() -> None:
    arguments = {"script": "x" * 3_000, "blob": "y" * 5_000, "n": None}
    request = PermissionRequest(
        permission_id="req_1",
        source_name="Permission",
        function_name="run",
        description="Runs. " * 100,
        call_id="c1",
        arguments=arguments,
    )

    first, script, blob, number = PermissionQuestion(request).lines

    assert first.startswith("Allow run? Runs. Runs.")
    assert len(first) < 320
    assert script == f'  script="{"x" * 3_000}"'
    assert (len(blob), blob[-3:]) == (len("  blob=") + 4_000, "...")
    assert number == "  n=null"

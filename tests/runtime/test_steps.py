"""A run that begins again finds its steps in their places, or is told that it does something else."""

from typing import Any

import pytest

from hosting.domain.errors import RunDiverged
from hosting.domain.step import Step, StepKind, hash_arguments
from hosting.runtime.steps import Steps
from middleware.errors import AgentError


def logged() -> list[Step]:
    """Return the steps of a run that was cut: one model call with a result, one piece of work under way."""
    before = Steps(())
    return [
        Step(before.next_key(StepKind.MODEL_CALL, "model", {"a": 1}), b'"result"'),
        Step(before.next_key(StepKind.WORK, "fetch", ["x"]), None),
    ]


def test_a_run_that_begins_again_finds_what_it_did() -> None:
    steps = Steps(logged())

    first = steps.logged(steps.next_key(StepKind.MODEL_CALL, "model", {"a": 1}))
    second = steps.logged(steps.next_key(StepKind.WORK, "fetch", ["x"]))
    third = steps.logged(steps.next_key(StepKind.WORK, "fetch", ["x"]))

    assert [first, second] == logged()
    assert third is None


def test_a_run_that_begins_for_the_first_time_has_done_nothing() -> None:
    steps = Steps(())

    assert steps.logged(steps.next_key(StepKind.WORK, "fetch", None)) is None
    assert steps.cut() == []


def test_what_was_under_way_is_known() -> None:
    assert Steps(logged()).cut() == logged()[1:]


@pytest.mark.parametrize(
    ("kind", "name", "arguments"),
    [
        (StepKind.WORK, "model", {"a": 1}),
        (StepKind.MODEL_CALL, "another", {"a": 1}),
        (StepKind.MODEL_CALL, "model", {"a": 2}),
        (StepKind.MODEL_CALL, "model", {"a": "1"}),
        (StepKind.MODEL_CALL, "model", None),
    ],
)
def test_another_step_in_the_place_of_a_logged_one_diverges(kind: StepKind, name: str, arguments: Any) -> None:
    steps = Steps(logged())
    key = steps.next_key(kind, name, arguments)

    with pytest.raises(RunDiverged, match="step 1") as diverged:
        steps.logged(key)

    assert isinstance(diverged.value, AgentError)


def test_each_step_takes_its_place_at_once() -> None:
    steps = Steps(())

    keys = [steps.next_key(StepKind.WORK, "same", None) for _ in range(3)]

    assert [key.place for key in keys] == ["1", "2", "3"]


def test_the_hash_of_arguments_does_not_depend_on_the_order_of_members() -> None:
    one = hash_arguments({"a": 1, "b": {"c": [1, 2], "d": None}})
    other = hash_arguments({"b": {"d": None, "c": [1, 2]}, "a": 1})

    assert one == other
    assert one != hash_arguments({"a": 1, "b": {"c": [2, 1], "d": None}})


def test_a_name_that_cannot_be_stored_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Steps(()).next_key(StepKind.WORK, "a\x00b", None)


def test_a_step_that_is_not_counted_leaves_the_others_their_places() -> None:
    steps = Steps(())

    before, first = steps.uncounted_key(StepKind.COMPACTION, "compact"), steps.next_key(StepKind.WORK, "look", None)
    inside = steps.inside(before).next_key(StepKind.WORK, "summarize", None)

    assert (before.place, first.place, inside.place) == ("0", "1", "0.1")

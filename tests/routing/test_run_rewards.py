"""What a run is worth to whoever it was given to."""

from datetime import UTC, datetime, timedelta

import pytest

from hosting.domain.run_observation import WorkEnd

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "cost", "reward"),
    [
        (0, None, 1.0),
        (0, 0.0, 1.0),
        (5, None, 0.95),
        (10, None, 0.9),
        (600, None, 0.9),
        (0, 2.5, 0.95),
        (0, 5.0, 0.9),
        (600, 500.0, 0.8),
        (-1, -1.0, 1.0),
        (0, float("nan"), 1.0),
        (0, float("inf"), 1.0),
    ],
)
def test_a_run_that_has_completed_is_worth_the_less_the_slower_and_the_dearer_it_was(
    minutes: int, cost: float | None, reward: float
) -> None:
    end = WorkEnd(succeeded=True, began=BEGAN, ended=BEGAN + timedelta(minutes=minutes), cost=cost)

    assert end.reward == pytest.approx(reward)


def test_a_run_that_has_failed_is_worth_nothing_however_quick_and_cheap_it_was() -> None:
    assert WorkEnd(succeeded=False, began=BEGAN, ended=BEGAN, cost=0.0).reward == 0

"""What is learnt from a reward."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.domain.posterior import NOTHING_KNOWN, Posterior

REWARDS = st.floats(0, 1)
OBSERVATIONS = st.lists(st.tuples(REWARDS, st.none() | st.floats(0, 1e6)), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("reward", "alpha", "beta"),
    [(0.5, 1.5, 1.0), (1.0, 2.0, 1.0), (0.75, 1.75, 1.0), (0.49, 1.0, 1.51), (0.0, 1.0, 2.0)],
)
def test_from_half_on_a_reward_counts_for_an_arm_and_below_against_it(reward: float, alpha: float, beta: float) -> None:
    learnt = NOTHING_KNOWN.learn(reward)

    assert (learnt.alpha, learnt.beta) == (alpha, beta)


def test_nothing_known_is_the_middle_and_the_least_confidence() -> None:
    assert Posterior(alpha=1.0, beta=1.0, observations=0) == NOTHING_KNOWN
    assert NOTHING_KNOWN.expected_reward == 0.5
    assert NOTHING_KNOWN.confidence == pytest.approx(1 - sqrt(1 / 12))


@given(OBSERVATIONS)
def test_the_means_are_those_of_what_was_observed(observed: list[tuple[float, float | None]]) -> None:
    known = NOTHING_KNOWN
    for reward, cost in observed:
        known = known.learn(reward, cost)

    costs = [cost for _, cost in observed if cost is not None]
    assert (known.observations, known.costs) == (len(observed), len(costs))
    assert known.average_reward == pytest.approx(sum(reward for reward, _ in observed) / len(observed))
    assert known.average_cost == pytest.approx(sum(costs) / len(costs) if costs else 0.0)


@given(OBSERVATIONS)
def test_whatever_is_observed_an_arm_knows_more_and_keeps_a_chance(observed: list[tuple[float, float | None]]) -> None:
    known = NOTHING_KNOWN
    for reward, cost in observed:
        known, before = known.learn(reward, cost), known
        assert 0.5 - 1e-9 <= known.alpha + known.beta - before.alpha - before.beta <= 1.0 + 1e-9
        assert known.alpha >= before.alpha
        assert known.beta >= before.beta

    assert 0 < known.expected_reward < 1
    assert NOTHING_KNOWN.confidence <= known.confidence < 1

"""What is known of an arm: a Beta distribution of the reward that it brings."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final, Self

GOOD: Final = 0.5
"""From this reward on, a run counts for its arm, and below against it (docs/reference/worker-protocol.md)."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """The distribution Beta(alpha, beta), and the means of what was observed.

    `costs` counts the observations that said what the run cost, in dollars; `average_cost` is the mean of those.
    """

    alpha: float = 1.0
    beta: float = 1.0
    observations: int = 0
    average_reward: float = 0.0
    average_cost: float = 0.0
    costs: int = 0

    @property
    def expected_reward(self) -> float:
        """The mean of the distribution."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def confidence(self) -> float:
        """One less the standard deviation: 0.71 of an arm that nothing is known of, and near 1 in the end."""
        total = self.alpha + self.beta
        return 1.0 - sqrt(self.alpha * self.beta / (total * total * (total + 1.0)))

    def learn(self, reward: float, cost: float | None = None) -> Self:
        """Return what is known after one more observation; a reward is from 0 to 1."""
        gained, lost = evidence(reward)
        count = self.observations + 1
        learnt = replace(
            self,
            alpha=self.alpha + gained,
            beta=self.beta + lost,
            observations=count,
            average_reward=self.average_reward + (reward - self.average_reward) / count,
        )
        if cost is None:
            return learnt
        costs = self.costs + 1
        return replace(learnt, costs=costs, average_cost=self.average_cost + (cost - self.average_cost) / costs)


NOTHING_KNOWN: Final = Posterior()


def evidence(reward: float) -> tuple[float, float]:
    """Return by how much a reward moves alpha and beta: one of them, never both."""
    return (reward, 0.0) if reward >= GOOD else (0.0, 1.0 - reward)

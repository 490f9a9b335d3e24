"""Choosing a provider by Thompson sampling: each is tried as often as it may be the best one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from hosting.domain.posterior import Posterior

ENOUGH: Final = 5
"""How many observations an arm needs until choosing it is no experiment (docs/reference/worker-protocol.md)."""


class Reason(StrEnum):
    """Why a choice says little about who is the best."""

    FORCED = "forced"
    UNCERTAINTY = "uncertainty"


class ChosenBy(StrEnum):
    """Who has chosen a provider, or why nobody has."""

    DISABLED = "disabled"
    EXPLICIT = "explicit"
    SAMPLED = "mab-routing"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Decision:
    """A provider that was chosen, and what is expected of it."""

    provider: str
    expected_reward: float
    confidence: float
    reason: Reason | None = None


def choose(posteriors: Mapping[str, Posterior], chance: Random, exploration_rate: float) -> Decision:
    """Choose among providers, at least one; the same chance chooses the same.

    So often as the rate says it is anyone of them, whatever is known. Else one draw from each distribution decides.
    """
    providers = list(posteriors)
    if chance.random() < exploration_rate:
        return _decision(posteriors, chance.choice(providers), Reason.FORCED)
    draws = {name: chance.betavariate(known.alpha, known.beta) for name, known in posteriors.items()}
    winner = max(providers, key=draws.__getitem__)
    is_new = posteriors[winner].observations < ENOUGH
    return _decision(posteriors, winner, Reason.UNCERTAINTY if is_new else None)


def _decision(posteriors: Mapping[str, Posterior], provider: str, reason: Reason | None) -> Decision:
    known = posteriors[provider]
    return Decision(provider, known.expected_reward, known.confidence, reason)

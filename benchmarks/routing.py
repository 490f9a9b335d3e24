"""`python -m benchmarks.routing`: 10 000 runs whose providers a router chooses, and who was given how many of them.

Draws docs/explanation/routing.svg; the same seed draws the same.
"""

import argparse
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.chart import Bars, Group, draw
from benchmarks.row import percent
from hosting.domain.posterior import NOTHING_KNOWN, Posterior
from hosting.domain.routing import choose

QUALITY: Final = {"best": 0.7, "second": 0.5, "broken": 0.0}
"""How often the runs of each provider succeed."""
EXPLORATION_RATE: Final = 0.1
_RUNS: Final = 10_000
_BORDERS: Final = (0, 50, 200, 2_000, _RUNS)
PLOT: Final = Path(__file__).parents[1] / "docs" / "explanation" / "routing.svg"


def pulled(quality: Mapping[str, float], runs: int, seed: int, exploration_rate: float = EXPLORATION_RATE) -> list[str]:
    """Return which provider each run was given; a run that succeeds brings 1, and any other 0.

    Chance and what the runs come to are of two sources, so that one more draw of the one does not change the other.
    """
    chance, fate = Random(seed), Random(seed + 1)
    known: dict[str, Posterior] = dict.fromkeys(quality, NOTHING_KNOWN)
    chosen = []
    for _ in range(runs):
        provider = choose(known, chance, exploration_rate).provider
        known[provider] = known[provider].learn(float(fate.random() < quality[provider]))
        chosen.append(provider)
    return chosen


def share(chosen: Sequence[str], provider: str) -> float:
    """Return how large a part of the runs a provider was given."""
    return chosen.count(provider) / len(chosen)


def chart(seed: int) -> Bars:
    """Return who was given how many of the runs, a group a stretch of them."""
    chosen = pulled(QUALITY, _RUNS, seed)
    groups = [
        Group(f"runs {first + 1} to {last}", [_bar(chosen[first:last], provider) for provider in QUALITY])
        for first, last in pairwise(_BORDERS)
    ]
    return Bars("Part of the runs that each provider is given", groups, parts=True)


def main() -> None:
    """Simulate, tell and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__)
    parser.add_argument("--seed", type=int, default=11, help="another one draws otherwise")
    parser.add_argument("--plot", type=Path, default=PLOT, help="where to draw it")
    given = parser.parse_args()
    drawn = chart(given.seed)
    for group in drawn.groups:
        print(f"{group.name}: {', '.join(f'{name} {shown}' for name, _, shown in group.bars)}")
    given.plot.write_text(draw(drawn), "utf-8")
    print(f"Drawn: {given.plot}")


def _bar(chosen: Sequence[str], provider: str) -> tuple[str, float, str]:
    part = share(chosen, provider)
    return f"{provider} ({percent(QUALITY[provider])} succeed)", part, f"{part * 100:.1f} %"


if __name__ == "__main__":
    main()

"""Subject and calibration in turns, so that whatever else the machine does falls on both alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.machine import Load, Watch

Figures = dict[str, float]
Program = Callable[[], Figures]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each program did in each round, and how busy the machine was."""

    figures: Mapping[str, list[Figures]]
    load: Load

    def median(self, program: str, figure: str) -> float:
        """Return the median over the rounds."""
        return median(each[figure] for each in self.figures[program])

    def ratio(self, figure: str, program: str, to: str) -> float:
        """Return one program's median as a share of another's."""
        return self.median(program, figure) / self.median(to, figure)

    @property
    def samples(self) -> dict[str, dict[str, list[float]]]:
        """Every figure of every round."""
        return {
            program: {name: [each[name] for each in rounds] for name in rounds[0]}
            for program, rounds in self.figures.items()
        }


def interleave(rounds: int, programs: Mapping[str, Program], *, warm: bool = True) -> Comparison:
    """Run every program once to warm up, then all of them in each round, in the opposite order every other time."""
    for program in programs.values() if warm else ():
        program()
    figures: dict[str, list[Figures]] = {name: [] for name in programs}
    watch = Watch()
    for index in range(rounds):
        names = list(programs) if index % 2 == 0 else list(programs)[::-1]
        for name in names:
            figures[name].append(programs[name]())
        watch.look()
    return Comparison(figures, watch.load())

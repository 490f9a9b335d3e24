"""The steps of a run: what was done before it began again is not done twice."""

from collections.abc import Iterable

from hosting.domain.errors import RunDiverged
from hosting.domain.step import Step, StepKey, StepKind, hash_arguments


class Steps:
    """Gives each step of a run its place, and knows which have a result already."""

    def __init__(self, logged: Iterable[Step]) -> None:
        self._logged = {step.key.place: step for step in logged}
        self._within = ""
        self._next = 1

    def inside(self, key: StepKey) -> "Steps":
        """Return the steps that a step is made of; they count from 1 again."""
        inner = Steps(())
        inner._logged = self._logged
        inner._within = f"{key.place}."
        return inner

    def of_try(self, number: int) -> "Steps":
        """Return the steps of one of several tries at the same thing; the first one's are these themselves.

        Begun again, a run begins with the first try, which may come to another end than it did before.
        """
        if number == 1:
            return self
        inner = Steps(())
        inner._logged = self._logged
        inner._within = f"{self._within}0.{number}."
        return inner

    def next_key(self, kind: StepKind, name: str, arguments: object) -> StepKey:
        """Return the key of the step that comes now; its place is taken at once, also when several run side by side.

        Raises:
            ValueError: the name holds a NUL or half a surrogate pair, which cannot be stored.
        """
        name.encode()
        if "\x00" in name:
            raise ValueError("The name of a step must not hold a NUL, which cannot be stored.")
        key = StepKey(self.next_place, kind, name, hash_arguments(arguments))
        self._next += 1
        return key

    def uncounted_key(self, kind: StepKind, name: str) -> StepKey:
        """Return the key of the one step that is not counted among the others: they keep their places without it."""
        return StepKey(f"{self._within}0", kind, name, hash_arguments(None))

    def logged(self, key: StepKey) -> Step | None:
        """Return the step as it was logged before the run began again; None when it is new.

        Raises:
            RunDiverged: another step was logged in its place.
        """
        step = self._logged.get(key.place)
        if step is not None and step.key != key:
            raise RunDiverged(key.place, step.key.name, key.name)
        return step

    def is_begun(self) -> bool:
        """Say whether the step that comes next was begun before the run began again."""
        return self.next_place in self._logged

    @property
    def next_place(self) -> str:
        """The place of the step that comes next."""
        return f"{self._within}{self._next}"

    def cut(self) -> list[Step]:
        """Return the steps that were under way when the run was cut."""
        return [step for step in self._logged.values() if step.result is None]

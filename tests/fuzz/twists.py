"""What is done to a request that the description inspired, so that it reaches further, or breaks something else."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

from schemathesis import Case

from tests.fuzz.scene import Scene
from tests.harness.fleet_report import fleet_report


@dataclass(frozen=True)
class Twist:
    """What no schema speaks of: other headers, and a body that ends early."""

    headers: Mapping[str, str] = field(default_factory=dict)
    keeps_of_body: float = 1.0


STRAIGHT = Twist()
STRANGE_IDS = ("none", "~", " ", "\x00", "\r\nX: y", "é\u202e", "%", "\ufffe", "'--", "x" * 300, "🦊")
"""What stands in a path where no id stands that is there."""
_TWISTS = (
    Twist(headers={"Origin": "https://evil.example"}),
    Twist(headers={"Origin": "null"}),
    Twist(headers={"Content-Type": "text/plain"}),
    Twist(headers={"Content-Encoding": "gzip"}),
    Twist(keeps_of_body=0.5),
    Twist(keeps_of_body=0.9),
)
_TWISTED, _UNKNOWN_PLACE, _REAL_VALUE = 0.1, 0.06, 0.5


def twist(chance: Random) -> Twist:
    """Return what is to be done to a request; to most nothing is."""
    return chance.choice(_TWISTS) if chance.random() < _TWISTED else STRAIGHT


def put_real_ids(case: Case, scene: Scene, chance: Random) -> None:
    """Let most of a request's path, and half of what it names besides, be about something that is there."""
    place = chance.choice(scene.places)
    for name in case.path_parameters:
        if chance.random() > _UNKNOWN_PLACE:
            case.path_parameters[name] = place[name]
    _put_values(case.query, scene, chance)
    _put_values(case.body, scene, chance)


def put_a_report(case: Case, path: str, scene: Scene) -> None:
    """Let a request of a worker's say what the route needs; whatever else was made up for it stays."""
    worker = scene.values["worker"][0]
    if isinstance(case.body, dict):
        case.body |= fleet_report(path, worker)
    if case.query:
        case.query |= {
            name: value for name, value in {"worker": worker, "workerId": worker}.items() if name in case.query
        }


def _put_values(given: object, scene: Scene, chance: Random) -> None:
    if isinstance(given, dict):
        for name, value in given.items():
            known = scene.values.get(name)
            if known is not None and isinstance(value, type(known[0])) and chance.random() < _REAL_VALUE:
                given[name] = deepcopy(chance.choice(known))
            else:
                _put_values(value, scene, chance)
    elif isinstance(given, list):
        for value in given:
            _put_values(value, scene, chance)

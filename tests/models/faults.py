"""The faults that a provider can have: what it answers to each try, and what becomes of the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.harness.providers.provider import FakeProvider, Script
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Bare, Begin, Broken, Call, Drop, Endless, Hold, Raw, Status, Step, Text
from tests.models.provider_runs import ENDLESS

FIRST_SECONDS = IDLE_SECONDS = 1
CALL_SECONDS = 3

_ALL_TRIES = 3
_GARBAGE = Raw(b'data: {"choices": [{"delta"\n\n')
_ANTHROPIC_GARBAGE = Raw(b'event: content_block_delta\ndata: {"type": "content_bl\n\n')
_NONSENSE = Raw(b'data: {"id": "x", "created": "soon", "choices": [7], "model": []}\n\n')
_COST = Raw(
    b'data: {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], '
    b'"usage": {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}}\n\n'
)
_POLITE_END = (Bare(b"0\r\n\r\n"), Drop(politely=True))


@dataclass(frozen=True)
class Fault:
    """A fault: `answer` is what each try gets, from 1; then the run was tried `retries` times again, and `failed` so.

    `seconds` is how long a try that fails may take. `error` is None for a run that completes.
    """

    name: str
    answer: Callable[[int], Script]
    error: str | None
    category: str | None
    retries: int = _ALL_TRIES
    seconds: float = 0
    wire: str = "openai"


def words(of: int) -> Sequence[Step]:
    """Three words that no other try says."""
    return [Text(f"{of}.{word} ") for word in "abc"]


def _always(*steps: Step) -> Callable[[int], Script]:
    return lambda number: steps


def _after_words(*steps: Step) -> Callable[[int], Script]:
    return lambda number: [*words(number), *steps]


def _once(*steps: Step) -> Callable[[int], Script]:
    return lambda number: steps if number == 1 else words(number)


FAULTS = (
    Fault("refused", _always(), "ModelUnreachable", "connection", wire="nowhere"),
    Fault("never-answers", _always(Hold()), "ModelTimedOut", "timeout", seconds=FIRST_SECONDS),
    Fault("head-only", _always(Begin(), Hold()), "ModelTimedOut", "timeout", seconds=FIRST_SECONDS),
    Fault("stalls", _after_words(Hold()), "ModelTimedOut", "timeout", seconds=IDLE_SECONDS),
    Fault("drops", _after_words(Drop()), "ModelUnreachable", "connection"),
    Fault("429-once", _once(Status(429, {"retry-after": "1"})), None, "rate_limit", retries=1),
    Fault("429", _always(Status(429, {"retry-after-ms": "100"})), "ModelRateLimited", "rate_limit"),
    Fault("500-once", _once(Status(500)), None, "server_error", retries=1),
    Fault("500", _always(Status(500)), "ModelServerFailed", "server_error"),
    Fault("garbage", _after_words(_GARBAGE), "ModelGarbled", "garbled"),
    Fault("cut-call", _once(Call("weather", '{"city": "Os'), Drop()), None, "connection", retries=1),
    Fault("endless", _always(Endless(ENDLESS)), "ModelAnswerTooLong", "too_long", retries=0, seconds=CALL_SECONDS),
)
"""The twelve."""

MORE_FAULTS = (
    Fault("drops-politely", _after_words(Drop(politely=True)), "ModelUnreachable", "connection"),
    Fault("ends", _after_words(*_POLITE_END), "ModelUnreachable", "connection"),
    Fault("ends-without-reason", _after_words(_COST, *_POLITE_END), None, None, retries=0),
    Fault("stalls-once", _once(*words(1), Hold()), None, "timeout", retries=1, seconds=IDLE_SECONDS),
    Fault("nonsense", _after_words(_NONSENSE), "ModelGarbled", "garbled"),
    Fault("html", _always(Status(200, body=b"<html>Bad gateway</html>")), "ModelGarbled", "garbled"),
    Fault("comments", _always(*[Raw(b": wait\n\n"), Hold()]), "ModelTimedOut", "timeout", seconds=FIRST_SECONDS),
    Fault("429-long", _always(Status(429, {"retry-after": "3600"})), "ModelRateLimited", "rate_limit", retries=0),
    Fault("401", _always(Status(401, message="No sk-the-secret-key")), "ModelKeyRefused", "authentication", retries=0),
    Fault("elsewhere", _always(Status(404, body=b"404 page not found")), "ModelCallRefused", "rejected", retries=0),
    Fault("404", _always(Status(404)), "ModelNotFound", "model_not_found", retries=0),
    Fault("400", _always(Status(400)), "ModelCallRefused", "rejected", retries=0),
    Fault("529", _always(Status(529)), "ModelOverloaded", "overloaded"),
    Fault("a-stalls", _after_words(Hold()), "ModelTimedOut", "timeout", seconds=IDLE_SECONDS, wire="anthropic"),
    Fault("a-drops", _after_words(Drop()), "ModelUnreachable", "connection", wire="anthropic"),
    Fault("a-ends", _after_words(*_POLITE_END), "ModelUnreachable", "connection", wire="anthropic"),
    Fault("a-overloaded", _after_words(Broken()), "ModelOverloaded", "overloaded", wire="anthropic"),
    Fault("a-garbage", _after_words(_ANTHROPIC_GARBAGE), "ModelGarbled", "garbled", wire="anthropic"),
    Fault("a-429-once", _once(Status(429, {"retry-after": "1"})), None, "rate_limit", retries=1, wire="anthropic"),
)
"""Their relations: the same on the other wire, and what is no fault of the provider's."""


class FaultyProvider(FakeProvider):
    """Answers each model with its fault, until it is `healed`; `asked` has the requests for each model in order."""

    def __init__(self, faults: Sequence[Fault], port: int = 0) -> None:
        super().__init__(port)
        self.otherwise = self._answer
        self.asked: dict[str, list[Request]] = {fault.name: [] for fault in faults}
        self.healed = {"sound"}
        self._faults = {fault.name: fault for fault in faults}

    def _answer(self, request: Request) -> Script:
        name = request.body["model"]
        asked = self.asked.setdefault(name, [])
        asked.append(request)
        return [Text("Fine.")] if name in self.healed else self._faults[name].answer(len(asked))

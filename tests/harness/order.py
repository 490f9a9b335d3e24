"""The order of a branch's log as the contract has it: a state machine that any test can hold a whole log against."""

from collections.abc import Iterable, Sequence
from typing import Any

from tests.harness.fork_order import ForkOrder
from tests.harness.run_order import Event, OutOfOrder, RunOrder

_OF_THE_BRANCH = {"BRANCH_METADATA_UPDATED", "BRANCH_TREE_UPDATED", "BRANCH_HISTORY_COMPACTED"}
_OF_A_MESSAGE = {"MESSAGE_STARTED", "CONTENT_ADDED", "MESSAGE_COMPLETED"}
_OF_THE_FLEET = {"WORK_CLAIMED", "WORK_RETURNED"}
_NEVER_LOGGED = {"STREAM_RESET", "STREAM_CLOSING", "AGENT_RESPONSE_REJECTED", "INTERRUPTION_REQUEST"}


def check_log(log: Sequence[Event], *, ended: bool = True) -> "LogOrder":
    """Make sure that a whole log is in order; with `ended` no run may be active at its end, and none may wait.

    Raises:
        OutOfOrder: it is not; the sentence names the event and what is wrong with it.
    """
    order = LogOrder()
    for event in log:
        order.see(event)
    order.stop(ended=ended)
    return order


class LogOrder:
    """What a log has come to so far: who runs, who waits, and how those before have ended.

    `outcomes` has the status of each run that has ended, in the order of their ends; `begun` the runs as they began.
    """

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self.begun: list[str] = []
        self.waiting: list[str] = []
        self.run: RunOrder | None = None
        self._epoch = ""
        self._count = 0
        self._next: tuple[str, str] | None = None
        self._message: str | None = None
        self._contents = 0
        self._last_message: str | None = None
        self._heard: set[str] = set()
        self._copies: ForkOrder | None = None

    def see(self, event: Event) -> None:
        """Take the next event of the log, or refuse it."""
        try:
            self._place(event)
            self._see(event)
        except OutOfOrder as error:
            raise OutOfOrder(f"event {event.get('sequenceNumber')} {event.get('type')}: {error}") from None

    def stop(self, *, ended: bool) -> None:
        """Know that nothing more comes."""
        _demand(self._next is None, f"the log stops before {self._next}")
        _demand(self._message is None and self._last_message is None, "the log stops within a message")
        _demand(self._copies is None, "the log stops within the messages of a fork")
        if ended:
            _demand(self.run is None, "the log stops while a run is active")
            _demand(not self.waiting, f"the log stops while {self.waiting} wait")

    def _place(self, event: Event) -> None:
        self._count += 1
        epoch, _, seq = str(event["eventId"]).partition(".")
        _demand(event["sequenceNumber"] == self._count == int(seq), f"it should be number {self._count}")
        _demand(self._epoch in {"", epoch}, "it is of another epoch")
        self._epoch = epoch
        kind = event["type"]
        _demand((kind == "BRANCH_CREATED") == (self._count == 1), "BRANCH_CREATED is the first event, and only that")
        _demand(kind != "BRANCH_FORKED" or self._count == 2, "BRANCH_FORKED follows BRANCH_CREATED, and nothing else")
        _demand(kind not in _NEVER_LOGGED, "it has no place in a log")

    def _see(self, event: Event) -> None:
        kind = event["type"]
        if self._next is not None:
            _demand((kind, event.get("runtimeRunId")) == self._next, f"{self._next} must come next")
            self._next = None
        elif self._message is not None or self._last_message is not None:
            _demand(kind in _OF_A_MESSAGE, "the messages of the input must come next")
        elif self._copies is not None:
            _demand(kind in _OF_A_MESSAGE, "the messages of the fork must come next")
        if kind == "BRANCH_FORKED":
            self._copies = ForkOrder(event)
        elif kind == "BRANCH_QUEUE_UPDATED":
            self._queue_updated(event)
        elif kind == "BRANCH_RUN_STARTED":
            self._run_started(event)
        elif kind == "BRANCH_RUN_COMPLETED":
            self._run_completed(event)
        elif kind in _OF_A_MESSAGE:
            self._part_of_message(event)
        elif kind not in _OF_THE_BRANCH and kind != "BRANCH_CREATED":
            _demand(self.run is not None, "no run is active")
            assert self.run is not None
            # A worker comes and goes outside of any turn.
            if kind in _OF_THE_FLEET:
                self.run.is_held = kind == "WORK_CLAIMED"
            else:
                self.run.see(event)

    def _queue_updated(self, event: Event) -> None:
        run_id, action = event["runtimeRunId"], event["action"]
        if action in {"enqueued", "promoted"}:
            _demand(self.run is not None, "a run waits although the branch is free")
            _demand(run_id not in {*self.begun, *self.outcomes, *self.waiting}, "it is known already")
            self.waiting.insert(len(self.waiting) if action == "enqueued" else 0, run_id)
        elif action == "dequeued":
            _demand(self.run is None, "a run is active still")
            _demand(self.waiting[:1] == [run_id], f"the first of {self.waiting} must be dequeued")
            self.waiting.pop(0)
            self._next = ("BRANCH_RUN_STARTED", run_id)
        else:
            _demand(action == "removed", f"there is no action {action}")
            _demand(run_id in self.waiting, f"it is none of {self.waiting}")
            self.waiting.remove(run_id)
            self._next = ("BRANCH_RUN_COMPLETED", run_id)
        self._check_items(event["items"])

    def _check_items(self, items: Sequence[dict[str, Any]]) -> None:
        expected = list(enumerate(self.waiting, 1))
        _demand([(item["queuedPosition"], item["runtimeRunId"]) for item in items] == expected, f"{expected} wait")
        shape = {"runtimeRunId", "messageId", "text", "queuedAt", "queuedPosition"}
        _demand(all(item.keys() == shape and len(item["text"]) <= 200 for item in items), "an item is misshapen")

    def _run_started(self, event: Event) -> None:
        run_id = event["runtimeRunId"]
        _demand(self.run is None, "another run is active")
        _demand(run_id not in {*self.begun, *self.waiting, *self.outcomes}, "it began, waits or ended before")
        self.run = RunOrder(run_id, event["agentId"])
        self.begun.append(run_id)
        # What no worker was told in the run that it was said in is there already.
        if event["messageId"] not in self._heard:
            self._last_message = event["messageId"]

    def _run_completed(self, event: Event) -> None:
        run_id = event["runtimeRunId"]
        _demand(run_id not in self.outcomes, "the run has ended before")
        if self.run is not None and self.run.id == run_id:
            self.run.complete(event)
            self.run = None
            if self.waiting:
                self._next = ("BRANCH_QUEUE_UPDATED", self.waiting[0])
        else:
            _demand(run_id not in self.begun, "the run is not active")
            _demand((event["status"], event["cancelled"]) == ("cancelled", True), "a removed run is cancelled")
        self.outcomes[run_id] = event["status"]

    def _part_of_message(self, event: Event) -> None:
        kind, message_id = event["type"], event["messageId"]
        if kind == "MESSAGE_STARTED":
            _demand(self._message is None, "another message is open")
            if self._last_message is None and self._copies is None and self.run is not None:
                # Said to the worker that has the run; it is one message of a user's, whole.
                self.run.hear(event)
                self._heard.add(message_id)
                self._last_message = message_id
            _demand(self._last_message or self._copies, "it belongs to no input, and to no fork")
            self._message, self._contents = message_id, 0
        else:
            self._part_of_open_message(kind, message_id)
        if self._copies is not None:
            self._copies.see(event)
            self._copies = None if self._copies.is_whole else self._copies

    def _part_of_open_message(self, kind: str, message_id: str) -> None:
        _demand(self._message == message_id, "the message is not open")
        if kind == "CONTENT_ADDED":
            self._contents += 1
            return
        _demand(self._contents > 0, "the message is empty")
        self._message = None
        if message_id == self._last_message:
            self._last_message = None


def _demand(so: object, otherwise: str) -> None:
    if not so:
        raise OutOfOrder(otherwise)


def types(log: Iterable[Event]) -> list[str]:
    """Return the events' types, each run of deltas as one."""
    names: list[str] = []
    for event in log:
        if not (names and names[-1] == event["type"] and event["type"].endswith("_DELTA")):
            names.append(event["type"])
    return names

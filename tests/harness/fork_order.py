"""The order of what a fork begins with: whole messages up to the one it was made at, their calls answered."""

from tests.harness.run_order import Event, OutOfOrder

_PLACES = ("reasoning", "text", "functionCall", "functionResult")
"""A message thinks, speaks, calls, and has the results, in this order."""

_FILES = ("data", "uri")
"""A user's message may have these in between, in any order."""


class ForkOrder:
    """Takes the parts of the copied messages one by one, which stand behind BRANCH_FORKED."""

    def __init__(self, forked: Event) -> None:
        ancestors = forked["ancestors"]
        _demand(list(ancestors) == [str(depth) for depth in range(len(ancestors))], "its ancestors have other depths")
        _demand(list(ancestors.values())[-1:] == [forked["sourceBranchId"]], "its source is not the last ancestor")
        _demand(forked["sourceBranchId"] != forked["branchId"], "it is its own source")
        self._left: int = forked["resolvedMessageIndex"] + 1
        self._last: str = forked["fromMessageId"]
        self._ids: set[str] = set()
        self._role = ""
        self._place = 0
        self._calls: list[str] = []
        self._results: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Whether all messages are there."""
        return self._left == 0

    def see(self, event: Event) -> None:
        """Take the next part of a message, or refuse it."""
        if event["type"] == "MESSAGE_STARTED":
            self._started(event)
        elif event["type"] == "CONTENT_ADDED":
            self._added(event["content"])
        else:
            self._completed(event["messageId"])

    def _started(self, event: Event) -> None:
        _demand(event["messageId"] not in self._ids, "the message is there already")
        self._ids.add(event["messageId"])
        self._role, self._place, self._calls, self._results = event["role"], 0, [], []

    def _added(self, content: Event) -> None:
        if content["$type"] in _FILES:
            _demand(self._role == "user", "only a user's message has files")
            return
        place = _PLACES.index(content["$type"])
        _demand(place >= self._place, f"it stands behind a {_PLACES[self._place]}")
        _demand(self._role == "assistant" or content["$type"] == "text", "only an assistant does more than speak")
        self._place = place
        if content["$type"] == "functionCall":
            _demand(content["callId"] not in self._calls, "the call is there already")
            self._calls.append(content["callId"])
        elif content["$type"] == "functionResult":
            self._results.append(content["callId"])
            _demand(
                self._results == self._calls[: len(self._results)], "the results are in another order than the calls"
            )

    def _completed(self, message_id: str) -> None:
        _demand(self._results == self._calls, "a call has no result")
        self._left -= 1
        _demand((message_id == self._last) == self.is_whole, f"{self._last} must be the last message")


def _demand(so: object, otherwise: str) -> None:
    if not so:
        raise OutOfOrder(otherwise)

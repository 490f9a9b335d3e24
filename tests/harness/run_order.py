"""The order of one run's events: its turn, the turns inside of it, and how each of them is closed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]

_ENDS_A_PART = ("TEXT_MESSAGE_END", "REASONING_MESSAGE_END")
_CLOSES = {
    "TOOL_CALL_RESULT",
    "TOOL_CALL_END",
    *_ENDS_A_PART,
    "AGENT_TURN_FINISHED",
    "MESSAGE_TURN_FINISHED",
}
_ID_MEMBERS = ("permissionId", "continuationId", "requestId")


class OutOfOrder(AssertionError):
    """A log is not in the order that the contract has."""


@dataclass
class Call:
    """A tool call: how far it has come, and what was asked about it."""

    start: Event
    has_args: bool = False
    result: Event | None = None
    ended: bool = False
    asked: str | None = None
    decided: str | None = None


@dataclass
class Flow:
    """A message turn, the run's own or one inside of it."""

    started: Event
    above: "Flow | None" = None
    ended: bool = False
    iterations: int = 0
    agent_turn: int | None = None
    repeats: int | None = None
    part: tuple[str, str, Event] | None = None
    calls: dict[str, Call] = field(default_factory=dict)
    requests: dict[str, Event] = field(default_factory=dict)
    handled: Event | None = None
    expected: tuple[str, str] | None = None
    gave_up: bool = False

    @property
    def id(self) -> str:
        """The event flow."""
        return str(self.started["messageTurnId"])

    @property
    def depth(self) -> int:
        """How many turns it is inside of."""
        return 0 if self.above is None else self.above.depth + 1

    @property
    def interrupt(self) -> Event | None:
        """The outermost interrupt that has reached it; one of what it is inside of reaches it, too."""
        return (self.above and self.above.interrupt) or self.handled

    @property
    def open_calls(self) -> list[str]:
        """The calls that have no end yet."""
        return [call_id for call_id, call in self.calls.items() if not call.ended]


class RunOrder:
    """Takes a run's events one by one."""

    def __init__(self, run_id: str, agent_id: str) -> None:
        self.id = run_id
        self.agent_id = agent_id
        self.flows: dict[str, Flow] = {}
        self._root: Flow | None = None
        self._handled: Event | None = None
        self._error: Event | None = None
        self._settled: set[str] = set()
        self._closing: set[str] = set()
        self._closed_early = False
        self.is_held = False

    def hear(self, event: Event) -> None:
        """Take what a user says while the run is done, which only a worker that has it can be told."""
        _demand(self.is_held, "no worker has the run")
        _demand(event.get("role", "user") == "user", "it is no user's")
        _demand(self._handled is None and self._error is None, "the run is ending")

    def see(self, event: Event) -> None:
        """Take the next event, or refuse it."""
        kind = event["type"]
        _demand(self._error is None, "nothing but the run's end follows its MESSAGE_TURN_ERROR")
        early, self._closed_early = self._closed_early, False
        _demand(not (early and kind == "INTERRUPTION_HANDLED"), "something was closed for it before it was told")
        if kind == "MESSAGE_TURN_STARTED":
            self._turn_started(event)
        elif kind == "INTERRUPTION_HANDLED":
            self._interrupted(event)
        elif kind.endswith("_RESPONSE") or kind in {"AGENT_REQUEST_CANCELLED", "AGENT_REQUEST_EXPIRED"}:
            self._settle(event)
        elif kind == "MESSAGE_TURN_ERROR" and self._root is None:
            self._error = event
        elif kind == "MODEL_CALL_RETRY" and event.get("eventFlowId") in {None, *self.flows}:
            _demand(self._handled is None, "the run is interrupted")
        else:
            self._in_flow(self._flow_of(event), event)

    def complete(self, event: Event) -> None:
        """Take the run's last event."""
        for flow in self.flows.values():
            _demand(flow.ended, f"the turn {flow.id} at depth {flow.depth} is open")
        status = event["status"]
        _demand(event["agentId"] == self.agent_id, "another agent began it")
        _demand(event["cancelled"] == (status == "cancelled"), "`cancelled` contradicts `status`")
        _demand((self._error is not None) == (status == "failed"), "a MESSAGE_TURN_ERROR and `failed` go together")
        _demand((self._handled is not None) == (status == "cancelled"), "an interrupt and `cancelled` go together")
        if self._handled is not None:
            _demand(event.get("reason") == self._handled["reason"], "it has another reason than the interrupt")
        if self._error is not None:
            told = (event.get("errorType"), event.get("errorMessage"))
            _demand(told == (self._error.get("errorType"), self._error["message"]), "it tells of another error")
        else:
            _demand("errorType" not in event and "errorMessage" not in event, "nothing failed")
        _demand(status != "completed" or self._root is not None, "it has completed without a turn")

    def _turn_started(self, event: Event) -> None:
        flow_id, known = event["messageTurnId"], self.flows.get(event["messageTurnId"])
        _demand(event["eventFlowId"] == flow_id, "its event flow is another")
        _demand(event["runtimeRunId"] == self.id, "it is of another run")
        _demand(event["isResume"] == (known is not None), "`isResume` is said of a turn that begins again")
        if known is not None:
            _demand(not known.ended and (known.depth or not known.interrupt), "the turn has ended")
            cut = [flow.id for flow in self.flows.values() if flow.part is not None]
            _demand(not cut, f"messages of {cut} are open that the crash has cut")
            known.started, known.repeats = event, known.agent_turn
            return
        depth = event.get("metadata", {}).get("depth", 0)
        if self._root is None:
            _demand(self._handled is None, "the run is interrupted")
            _demand(depth == 0 and "parentSpanId" not in event, "the run's own turn has depth 0 and no parent")
            self._root = self.flows[flow_id] = Flow(event)
        else:
            self.flows[flow_id] = Flow(event, self._above(event, depth))

    def _above(self, event: Event, depth: int) -> Flow:
        spans = {flow.started["spanId"]: flow for flow in self.flows.values() if not flow.ended}
        above = spans.get(event.get("parentSpanId", ""))
        if above is None:
            raise OutOfOrder("it is inside of no open turn")
        metadata = event["metadata"]
        _demand(not above.interrupt, "it is inside of a turn that is interrupted")
        _demand(above.agent_turn is not None and above.expected is None, "it is inside of no model's turn")
        _demand(depth == above.depth + 1 and metadata["isSubAgent"] is True, "its depth is wrong")
        _demand(event["traceId"] == above.started["traceId"], "its trace is another")
        chain = above.started.get("metadata", {}).get("agentChain", [above.started["agentName"]])
        _demand(metadata["agentChain"] == [*chain, event["agentName"]], "its chain of agents is wrong")
        _demand(metadata["parentAgentId"] == above.started["agentId"], "its parent is another agent")
        return above

    def _flow_of(self, event: Event) -> Flow:
        """Return the turn of an event; at depth 0 not every event names it."""
        flow = self.flows.get(event["eventFlowId"]) if "eventFlowId" in event else self._root
        if flow is None:
            raise OutOfOrder("its turn has not begun")
        _demand(not flow.ended, "its turn has ended")
        same = event.get("metadata") == flow.started.get("metadata")
        _demand(same, "its metadata is not that of its turn")
        if flow.depth:
            _demand("parentSpanId" in event, "it is nested and has no parent span")
        if "traceId" in event:
            _demand(event["traceId"] == flow.started["traceId"], "its trace is another")
        return flow

    def _interrupted(self, event: Event) -> None:
        _demand(event["canInterrupt"] is False, "it can be interrupted itself")
        flow = self.flows.get(event["eventFlowId"])
        if flow is None:
            _demand(self._root is None and self._handled is None, "it names no turn of the run")
        else:
            _demand(flow.handled is None, "the turn was interrupted before")
            _demand(not flow.ended and not flow.interrupt, "the turn is ending without it")
            flow.handled = event
        if flow is self._root:
            self._handled = event

    def _settle(self, event: Event) -> None:
        request_id = next(str(event[name]) for name in _ID_MEMBERS if name in event)
        _demand(request_id not in self._settled, "the question was settled before")
        flow = next((flow for flow in self.flows.values() if request_id in flow.requests), None)
        if flow is None:
            raise OutOfOrder("nobody has asked that")
        if event["type"] == "AGENT_REQUEST_CANCELLED":
            asked = flow.requests[request_id]["type"]
            _demand(event["requestEventType"] == asked, f"a {asked} was asked")
            early = flow.interrupt is None or flow.interrupt["eventId"] not in self._closing
            _demand(early, "questions are cancelled before anything is closed")
            self._closed_early = flow.interrupt is None
        self._settled.add(request_id)
        del flow.requests[request_id]

    def _in_flow(self, flow: Flow, event: Event) -> None:
        kind = event["type"]
        if flow.expected is not None:
            _demand((kind, event.get("callId")) == flow.expected, f"{flow.expected} must come next in its turn")
        if flow.interrupt is not None:
            _demand(kind in _CLOSES, "its turn is interrupted, and only closed")
            self._closing.add(flow.interrupt["eventId"])
        else:
            how = event.get("interrupted") or event.get("result", {}).get("resultType") == "interrupted"
            self._closed_early = bool(how)
        sees = _SEES.get(kind)
        if sees is not None:
            sees(self, flow, event)
        elif kind.endswith("_REQUEST"):
            self._asked(flow, event)

    def _agent_turn_started(self, flow: Flow, event: Event) -> None:
        again = flow.repeats is not None and event["iteration"] <= flow.repeats
        _demand(flow.agent_turn is None or again, "another model's turn is open")
        _demand(again or event["iteration"] == flow.iterations + 1, f"iteration {flow.iterations + 1} is next")
        flow.agent_turn, flow.iterations = event["iteration"], event["iteration"]
        if event["iteration"] == flow.repeats:
            flow.repeats = None

    def _agent_turn_finished(self, flow: Flow, event: Event) -> None:
        _demand(flow.agent_turn == event["iteration"], f"the turn {flow.agent_turn} is open")
        self._demand_closed(flow)
        told = event.get("terminationReason") == "interrupted"
        _demand(told or flow.interrupt is None, "it does not say that it was interrupted")
        flow.agent_turn = None

    def _part_started(self, flow: Flow, event: Event) -> None:
        _demand(flow.agent_turn is not None, "no model's turn is open")
        _demand(flow.part is None, "another message is open")
        # A worker goes on speaking while somebody is asked about a call of its.
        asked = {call_id for call_id, call in flow.calls.items() if call.asked is not None and call.decided is None}
        _demand(not set(flow.open_calls) - (asked if self.is_held else set()), "calls are open")
        _demand(event["parentSpanId"] == flow.started["spanId"], "its parent is not the turn")
        flow.part = (event["type"].partition("_")[0], event["messageId"], event)

    def _delta(self, flow: Flow, event: Event) -> None:
        _demand(flow.part is not None and flow.part[:2] == _part(event), "its message is not open")

    def _part_ended(self, flow: Flow, event: Event) -> None:
        _demand(flow.part is not None and flow.part[:2] == _part(event), "its message is not open")
        assert flow.part is not None
        _demand(event["spanId"] == flow.part[2]["spanId"], "it has another span than its start")
        _demand(event.get("interrupted") or flow.interrupt is None, "it does not say that it was interrupted")
        flow.part = None

    def _call_started(self, flow: Flow, event: Event) -> None:
        _demand(flow.agent_turn is not None, "no model's turn is open")
        _demand(flow.part is None, "its message still speaks")
        _demand(all(event["callId"] not in known.calls for known in self.flows.values()), "the call is known")
        _demand(event["parentSpanId"] == flow.started["spanId"], "its parent is not the turn")
        begun = [call for call in flow.calls.values() if call.start["messageId"] == event["messageId"]]
        _demand(all(call.asked is None and call.result is None for call in begun), "its batch is under way")
        flow.calls[event["callId"]] = Call(event)
        flow.expected = ("TOOL_CALL_ARGS", event["callId"])

    def _call_args(self, flow: Flow, event: Event) -> None:
        call = _call(flow, event)
        _demand(not call.has_args, "it has arguments already")
        call.has_args, flow.expected = True, None

    def _decided(self, flow: Flow, event: Event) -> None:
        call = _call(flow, event)
        _demand(call.decided is None and call.result is None, "that was decided before")
        if call.asked is None:
            _demand(event.get("reason") in {"remembered", "override"}, "nobody was asked")
        else:
            _demand(event["permissionId"] == call.asked, "another question was asked")
            _demand(call.asked in self._settled, "nobody has answered yet")
        call.decided = event["type"]

    def _call_result(self, flow: Flow, event: Event) -> None:
        call, how = _call(flow, event), event["result"].get("resultType")
        _demand(call.result is None, "it has a result already")
        _demand(how == "interrupted" or flow.interrupt is None, "its turn is interrupted, and it does not say so")
        if how != "interrupted":
            _demand(call.asked is None or call.decided is not None, "nobody has decided about it")
            _demand((how == "denied") == (call.decided == "PERMISSION_DENIED"), "the decision was another")
        open_about_it = [request for request in flow.requests.values() if request.get("callId") == event["callId"]]
        _demand(not open_about_it, "a question about it is open")
        others = [other for other in flow.calls.values() if other.result is None and other is not call]
        _demand(others or not self._open_inside(flow), "what it let others do goes on")
        call.result, flow.expected = event, ("TOOL_CALL_END", event["callId"])

    def _call_ended(self, flow: Flow, event: Event) -> None:
        call = _call(flow, event)
        _demand(call.result is not None, "it has no result")
        _demand(event["spanId"] == call.start["spanId"], "it has another span than its start")
        call.ended, flow.expected = True, None

    def _asked(self, flow: Flow, event: Event) -> None:
        request_id = next(str(event[name]) for name in _ID_MEMBERS if name in event)
        _demand(request_id not in self._settled, "that was asked before")
        _demand(all(request_id not in known.requests for known in self.flows.values()), "that is being asked")
        if event["type"] == "PERMISSION_REQUEST":
            call = _call(flow, event)
            self._asked_about(flow, call, event)
            call.asked = request_id
        flow.requests[request_id] = event

    def _asked_about(self, flow: Flow, call: Call, event: Event) -> None:
        _demand(call.asked is None and call.decided is None and call.result is None, "that was asked before")
        batch = [other for other in flow.calls.values() if other.start["messageId"] == call.start["messageId"]]
        later = batch[batch.index(call) + 1 :]
        # A tool that finds out only when it is called that somebody must allow it, asks whenever that is.
        if event["sourceName"] != "Tool":
            _demand(all(other.asked is None for other in later), "questions are asked in the order of the calls")
            _demand(all(other.result is None for other in batch), "all questions of a batch are asked at once")

    def _turn_finished(self, flow: Flow, event: Event) -> None:
        _demand(event["messageTurnId"] == flow.id, "it names another turn")
        # One that a crash has cut is made again, or never: it has no end of its own.
        _demand(flow.agent_turn in {None, flow.repeats}, "the model's turn is open")
        self._demand_closed(flow)
        was = event.get("terminationReason") == "interrupted"
        _demand(was or flow.interrupt is None, "it does not say that it was interrupted")
        if was and flow.interrupt is None:
            # Nobody interrupted it: then what it is inside of has failed, and does not finish.
            _demand(flow.above is not None, "nobody has interrupted it")
            assert flow.above is not None
            flow.above.gave_up = True
        _demand(was or not flow.gave_up, "a turn inside of it was given up")
        flow.ended = True

    def _turn_failed(self, flow: Flow, event: Event) -> None:
        self._demand_closed(flow)
        flow.ended = True
        if flow is self._root:
            self._error = event

    def _demand_closed(self, flow: Flow) -> None:
        _demand(flow.part is None, "a message is open")
        _demand(not flow.open_calls, f"the calls {flow.open_calls} are open")
        _demand(not flow.requests, f"the questions {list(flow.requests)} are open")
        _demand(not self._open_inside(flow), f"the turns {self._open_inside(flow)} inside of it are open")

    def _open_inside(self, flow: Flow) -> list[str]:
        return [other.id for other in self.flows.values() if other.above is flow and not other.ended]


def _demand(so: object, otherwise: str) -> None:
    if not so:
        raise OutOfOrder(otherwise)


def _part(event: Event) -> tuple[str, str]:
    return event["type"].partition("_")[0], event["messageId"]


def _call(flow: Flow, event: Event) -> Call:
    call = flow.calls.get(event["callId"])
    if call is None or call.ended:
        raise OutOfOrder("its call is not open")
    return call


_SEES: dict[str, Callable[[RunOrder, Flow, Event], None]] = {
    "AGENT_TURN_STARTED": RunOrder._agent_turn_started,
    "AGENT_TURN_FINISHED": RunOrder._agent_turn_finished,
    "TEXT_MESSAGE_START": RunOrder._part_started,
    "REASONING_MESSAGE_START": RunOrder._part_started,
    "TEXT_DELTA": RunOrder._delta,
    "REASONING_DELTA": RunOrder._delta,
    "TEXT_MESSAGE_END": RunOrder._part_ended,
    "REASONING_MESSAGE_END": RunOrder._part_ended,
    "TOOL_CALL_START": RunOrder._call_started,
    "TOOL_CALL_ARGS": RunOrder._call_args,
    "PERMISSION_APPROVED": RunOrder._decided,
    "PERMISSION_DENIED": RunOrder._decided,
    "TOOL_CALL_RESULT": RunOrder._call_result,
    "TOOL_CALL_END": RunOrder._call_ended,
    "MESSAGE_TURN_FINISHED": RunOrder._turn_finished,
    "MESSAGE_TURN_ERROR": RunOrder._turn_failed,
}

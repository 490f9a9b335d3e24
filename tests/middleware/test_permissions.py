"""Whether a tool may be called: by the run's own word, by what is remembered, or by who is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from events.permissions import PermissionApproved, PermissionChoice, PermissionDenied, PermissionRequest
from events.permissions import PermissionResponse as Response
from middleware.errors import RequestExpired
from middleware.permissions import Decision, Gate, Permissions, Verdict

ALLOWED = Verdict(approved=True)
REMEMBERED = Verdict(approved=False, told="The user has denied all calls of this tool.")
OVERRIDDEN = Verdict(approved=False, told="This run does not allow calls of this tool.")
EXPIRED = Verdict(approved=False, told="Nobody answered in time whether this call is allowed, so it was not made.")
DENIED = Verdict(approved=False, told="The user denied this call.")


@dataclass
class Call:
    """A gated call, whose `notes` say in order what the layer has done with it."""

    name: str = "dig"
    call_id: str = "call_1"
    description: str | None = "Dig a hole."
    arguments: Mapping[str, Any] = field(default_factory=lambda: {"deep": 3})
    requires_permission: bool = True
    permission_override: bool | None = None
    permission_timeout: timedelta | None = timedelta(minutes=5)
    decided_before: Verdict | None = None
    kept: bool | None = None
    expires: bool = False
    notes: list[str] = field(default_factory=list)
    asked: list[tuple[PermissionRequest, timedelta | None]] = field(default_factory=list)
    decisions: list[tuple[Verdict, Decision, bool | None]] = field(default_factory=list)
    response: asyncio.Future[Response] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _ids: int = 0

    def new_request_id(self) -> str:
        self._ids += 1
        return f"{self.name}_{self._ids}"

    def verdict(self) -> Verdict | None:
        return self.decided_before

    async def remembered(self) -> bool | None:
        self.notes.append("remembered?")
        return self.kept

    def ask(self, request: PermissionRequest, *, within: timedelta | None) -> Callable[[], Awaitable[Response]]:
        self.notes.append("asked")
        self.asked.append((request, within))

        async def answer() -> Response:
            self.notes.append("waiting")
            if self.expires:
                raise RequestExpired(request.permission_id, "PERMISSION_REQUEST")
            return await self.response

        return answer

    async def decide(self, verdict: Verdict, event: Decision, *, remember: bool | None = None) -> None:
        self.notes.append("decided")
        self.decisions.append((verdict, event, remember))

    def answered(self, *, approved: bool, reason: str | None = None, choice: str = "ask") -> None:
        """Let the user answer."""
        given = Response(permission_id="dig_1", approved=approved, reason=reason, choice=PermissionChoice(choice))
        self.response.set_result(given)


async def gate_of(call: Call) -> Gate:
    """Open a call's gate, which must be there."""
    gate = await Permissions().open_gate(call)
    assert gate is not None
    return gate


@pytest.mark.parametrize("override", [None, True])
@pytest.mark.parametrize("kept", [None, True, False])
async def test_a_tool_that_needs_no_permission_has_no_gate_and_nothing_is_told(
    override: bool | None, kept: bool | None
) -> None:
    call = Call(requires_permission=False, permission_override=override, kept=kept)

    gate = await Permissions().open_gate(call)

    assert gate is None
    assert call.notes == []


async def test_who_is_asked_is_told_the_call_and_how_long_the_question_waits() -> None:
    call = Call()

    await gate_of(call)

    request = PermissionRequest(
        permission_id="dig_1",
        source_name="Permission",
        function_name="dig",
        description="Dig a hole.",
        call_id="call_1",
        arguments={"deep": 3},
    )
    assert call.asked == [(request, timedelta(minutes=5))]


async def test_a_tool_that_says_nothing_of_itself_is_described_all_the_same() -> None:
    call = Call(description=None)

    await gate_of(call)

    assert call.asked[0][0].description == "Call dig; the tool has no description."


async def test_the_arguments_of_a_request_are_those_of_the_moment() -> None:
    arguments = {"deep": 3}
    call = Call(arguments=arguments)

    await gate_of(call)
    arguments["deep"] = 300

    assert call.asked[0][0].arguments == {"deep": 3}


async def test_a_question_is_asked_when_the_gate_opens_and_waited_for_at_the_gate() -> None:
    call = Call()

    gate = await gate_of(call)
    asked_by_then = list(call.notes)
    call.answered(approved=True)
    verdict = await gate()

    assert asked_by_then == ["remembered?", "asked"]
    assert call.notes == ["remembered?", "asked", "waiting", "decided"]
    assert verdict == ALLOWED


async def test_all_questions_of_a_batch_are_asked_before_any_is_waited_for() -> None:
    notes: list[str] = []
    calls = [Call(name=name, notes=notes) for name in ("dig", "fill")]
    permissions = Permissions()

    gates = [await permissions.open_gate(call) for call in calls]
    calls[1].answered(approved=False)
    assert gates[1] is not None
    second = await gates[1]()

    assert notes == ["remembered?", "asked", "remembered?", "asked", "waiting", "decided"]
    assert second == DENIED


@pytest.mark.parametrize(
    ("reason", "told"), [(None, "The user denied this call."), ("", "The user denied this call."), ("No!", "No!")]
)
async def test_a_denied_call_is_told_why(reason: str | None, told: str) -> None:
    call = Call()
    gate = await gate_of(call)
    call.answered(approved=False, reason=reason)

    verdict = await gate()

    assert verdict == Verdict(approved=False, told=told)
    assert call.decisions == [(verdict, _denied("dig_1", reason), None)]


async def test_an_allowed_call_is_told_with_the_id_of_its_question() -> None:
    call = Call()
    gate = await gate_of(call)
    call.answered(approved=True, reason="fine")

    verdict = await gate()

    assert call.decisions == [(verdict, _approved("dig_1", "fine"), None)]
    assert verdict.told == ""


@pytest.mark.parametrize(
    ("approved", "choice", "remember"),
    [(True, "ask", None), (False, "ask", None), (True, "allow_always", True), (False, "deny_always", False)],
)
async def test_an_answer_is_remembered_when_it_says_so(approved: bool, choice: str, remember: bool | None) -> None:
    call = Call()
    gate = await gate_of(call)
    call.answered(approved=approved, choice=choice)

    await gate()

    assert [decision[2] for decision in call.decisions] == [remember]


async def test_what_nobody_answers_in_time_is_denied_and_not_remembered() -> None:
    call = Call(expires=True)
    gate = await gate_of(call)

    verdict = await gate()

    assert verdict == EXPIRED
    assert call.decisions == [(EXPIRED, _denied("dig_1", "expired"), None)]


@pytest.mark.parametrize("kept", [True, False])
async def test_what_is_remembered_is_told_under_an_id_of_its_own_and_not_asked(kept: bool) -> None:
    call = Call(kept=kept)

    gate = await gate_of(call)
    verdict = await gate()

    event = _approved("dig_1", "remembered") if kept else _denied("dig_1", "remembered")
    assert verdict == (ALLOWED if kept else REMEMBERED)
    assert call.decisions == [(verdict, event, None)]
    assert call.asked == []


@pytest.mark.parametrize("kept", [None, True, False])
@pytest.mark.parametrize("override", [True, False])
async def test_the_runs_own_word_wins_over_what_is_remembered(override: bool, kept: bool | None) -> None:
    call = Call(permission_override=override, kept=kept)

    gate = await gate_of(call)
    verdict = await gate()

    event = _approved("dig_1", "override") if override else _denied("dig_1", "override")
    assert verdict == (ALLOWED if override else OVERRIDDEN)
    assert call.decisions == [(verdict, event, None)]
    assert call.asked == []


async def test_the_runs_own_word_can_forbid_a_tool_that_needs_no_permission() -> None:
    call = Call(requires_permission=False, permission_override=False)

    gate = await gate_of(call)

    assert await gate() == OVERRIDDEN


@pytest.mark.parametrize("override", [None, True, False])
@pytest.mark.parametrize("decided", [ALLOWED, DENIED])
async def test_what_was_decided_before_the_run_began_again_is_not_decided_or_told_twice(
    decided: Verdict, override: bool | None
) -> None:
    call = Call(decided_before=decided, permission_override=override, kept=True)

    gate = await gate_of(call)
    verdict = await gate()

    assert verdict == decided
    assert call.notes == []


async def test_a_gate_that_was_decided_can_be_passed_again() -> None:
    gate = await gate_of(Call(kept=True))

    verdicts = [await gate(), await gate()]

    assert verdicts == [ALLOWED, ALLOWED]


async def test_a_wait_that_is_cancelled_decides_nothing() -> None:
    call = Call()
    gate = await gate_of(call)
    waiting = asyncio.ensure_future(gate())
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert call.decisions == []


def _approved(permission_id: str, reason: str | None) -> PermissionApproved:
    return PermissionApproved(
        permission_id=permission_id, source_name="Permission", function_name="dig", call_id="call_1", reason=reason
    )


def _denied(permission_id: str, reason: str | None) -> PermissionDenied:
    return PermissionDenied(
        permission_id=permission_id, source_name="Permission", function_name="dig", call_id="call_1", reason=reason
    )

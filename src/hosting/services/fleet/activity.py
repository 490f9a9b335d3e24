"""What workers say of what they do: calls of tools, and anything else that is worth telling."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from events.ids import is_client_id
from events.strict import BodyRefused, value
from events.tools import ResultType, ToolResult
from hosting.domain.work_item import Holding, patch_of
from hosting.runtime.desk import Desk
from hosting.runtime.worker_questions import is_decided
from hosting.services.fleet.core import Fleet

ACTION: Final = "action"

_RESULT: Final = re.compile(r"(?P<tool>\S+) result(?P<failed> \(error\))?")
_LONGEST_ID: Final = 100


@dataclass(frozen=True, slots=True)
class Activity:
    """What a worker does, thinks or answers; `details` are all members that it was told with besides `content`.

    An action with a tool's name calls it. One whose content is `<tool> result` is what the call came to, in either
    dialect: of the call with the same `tool_use_id`, or without one of the oldest call of that tool.
    """

    type: str
    content: str
    tool_name: str | None = None
    tool_input: Any = None
    tool_output: Any = None
    tool_use_id: str | None = None
    is_error: bool = False
    details: Mapping[str, Any] | None = None

    @property
    def result_of(self) -> str | None:
        """The tool whose result this is; None when it is none."""
        if self.type != ACTION:
            return None
        told = _RESULT.fullmatch(self.content.strip())
        if told is not None and self.tool_input is None:
            return self.tool_name or told["tool"]
        return self.tool_name if self.tool_output is not None else None

    @property
    def is_call(self) -> bool:
        """Whether a tool is called."""
        return self.type == ACTION and self.result_of is None and is_client_id(self.tool_name or "")

    @property
    def result(self) -> ToolResult:
        """What a call came to."""
        said, failed = self.tool_output, self.is_error or self.content.strip().endswith("(error)")
        kind = ResultType.ERROR if failed else None
        if said is None or isinstance(said, str):
            return ToolResult(text=said or "", result_type=kind)
        return ToolResult(json=msgspec.Raw(msgspec.json.encode(said)), result_type=kind)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What a tool is called with; what is no object is its `input`."""
        given = self.tool_input
        if isinstance(given, str):
            try:
                # The members around it are checked, and its text is not: it can be nested as deep as it likes.
                given = value(given.encode())
            except BodyRefused:
                return {"input": given}
        if given is None:
            return {}
        return given if isinstance(given, dict) else {"input": given}


async def tell_activity(fleet: Fleet, holding: Holding, activity: Activity) -> None:
    """Tell what a worker does; raises as `Desks.write`, and MessageTooLong."""

    async def work(desk: Desk) -> None:
        if activity.is_call:
            await _call(fleet, desk, activity)
        elif activity.result_of is None or not await _answer(fleet, desk, activity, activity.result_of):
            desk.tell(activity.type, activity.content, dict(activity.details) if activity.details else None)

    await fleet.desks.write(holding, work)


async def _call(fleet: Fleet, desk: Desk, activity: Activity) -> None:
    call_id = _call_id(desk, activity)
    if call_id is not None and desk.knows_call(call_id):
        # A worker that has not heard our answer tells it once more.
        return
    desk.check_room(len(msgspec.json.encode(activity.arguments)), calls=True)
    name = activity.tool_name or ""
    calls = (desk.report.tool_call_count or 0) + 1
    now = fleet.runtime.clock()
    desk.update(report=patch_of(last_tool_name=name, last_tool_called_at=now, tool_call_count=calls))
    await desk.call(name, activity.arguments, call_id or fleet.runtime.ids.call())


async def _answer(fleet: Fleet, desk: Desk, activity: Activity, tool: str) -> bool:
    call_id = _call_id(desk, activity)
    if call_id is None:
        call_id = desk.open_call(tool)
    if call_id is None:
        return False
    if desk.knows_result(call_id):
        # Told once more, as calls are.
        return True
    # What somebody is asked about still has no result: that it was made all the same is an activity.
    return await is_decided(fleet.runtime, desk, call_id) and desk.answer(call_id, activity.result)


def _call_id(desk: Desk, activity: Activity) -> str | None:
    """Return the id of a call, if it was told one that can be."""
    told = activity.tool_use_id
    if told is None or len(told) > _LONGEST_ID or not is_client_id(told):
        return None
    return desk.call_named(told)

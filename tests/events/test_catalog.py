"""Custom events find their names, and the catalog stays one name a class and one class a name."""

from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
import pytest

from events.catalog import (
    BlankName,
    Catalog,
    CatalogError,
    DuplicateName,
    IncompletePair,
    NotAnEvent,
    ReservedMember,
    derived_name,
)
from events.event import Event
from events.ids import BranchId, SessionId
from events.inputs import UserTextInput
from events.interactions import Request, Response
from events.position import Position
from events.serializer import Serializer, Stamp, number
from events.text import TextDelta
from tests.events.generated import CLASSES

T = TypeVar("T")

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class RetrievalProgressEvent(Event, frozen=True, kw_only=True):
    done: int


class ToolUsed(Event, frozen=True, kw_only=True):
    tool: str


class Renamed(Event, frozen=True, kw_only=True):
    wire_type: ClassVar[str] = "CHOSEN_BY_THE_CLASS"


class Progress(Event, Generic[T], frozen=True, kw_only=True):
    done: T


class CountedProgress(Progress[int], frozen=True, kw_only=True):
    pass


class TypedTwice(Event, frozen=True, kw_only=True):
    type: str


class Kinded(Event, frozen=True, kw_only=True):
    kind: str


class Interrupting(Event, frozen=True, kw_only=True):
    can_interrupt: bool


class Tagged(Event, frozen=True, kw_only=True, tag="TAGGED"):
    pass


class Plain:
    pass


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("RetrievalProgressEvent", "RETRIEVAL_PROGRESS"),
        ("RetrievalProgress", "RETRIEVAL_PROGRESS"),
        ("PIIDetected", "PIIDETECTED"),
        ("ToolV2Used", "TOOL_V2USED"),
        ("EventSeen", "EVENT_SEEN"),
        ("EventEvent", "EVENT"),
        ("Plain", "PLAIN"),
        ("lowered", "LOWERED"),
        ("Event", ""),
    ],
)
def test_a_name_is_derived_from_the_class(class_name: str, name: str) -> None:
    assert name == derived_name(type(class_name, (), {}))


def test_a_custom_event_is_registered_under_its_derived_name() -> None:
    catalog = Catalog.standard()

    name = catalog.register(RetrievalProgressEvent)

    assert name == "RETRIEVAL_PROGRESS"
    assert catalog.named("RETRIEVAL_PROGRESS") is RetrievalProgressEvent
    assert catalog.name_of(RetrievalProgressEvent) == "RETRIEVAL_PROGRESS"


def test_a_custom_event_chooses_its_name_by_class_or_by_argument() -> None:
    catalog = Catalog.standard()

    by_class = catalog.register(Renamed)
    by_argument = catalog.register(ToolUsed, "my.tool")

    assert (by_class, by_argument) == ("CHOSEN_BY_THE_CLASS", "my.tool")


def test_a_subclass_does_not_inherit_the_name_of_its_base() -> None:
    class Subclass(Renamed, frozen=True, kw_only=True):
        pass

    assert Catalog.standard().register(Subclass) == "SUBCLASS"


@pytest.mark.parametrize("spelled", ["text_delta", "Text_Delta", "TEXT_DELTA"])
def test_a_type_is_found_in_any_case(spelled: str) -> None:
    assert Catalog.standard().named(spelled) is TextDelta


def test_a_custom_name_is_found_in_any_case_and_told_as_it_was_given() -> None:
    catalog = Catalog.standard()

    catalog.register(ToolUsed, "myTool.Used")

    assert catalog.named("MYTOOL.USED") is ToolUsed
    assert catalog.named("mytool.used") is ToolUsed
    assert catalog.name_of(ToolUsed) == "myTool.Used"
    assert ("myTool.Used", ToolUsed) in list(catalog)


def test_an_unknown_name_has_no_class() -> None:
    assert Catalog.standard().named("NO_SUCH_THING") is None


def test_a_class_that_was_never_registered_has_no_name() -> None:
    with pytest.raises(NotAnEvent):
        Catalog.standard().name_of(ToolUsed)


def test_registering_the_same_class_again_changes_nothing() -> None:
    catalog = Catalog.standard()
    catalog.register(ToolUsed)
    before = list(catalog)

    catalog.register(ToolUsed)

    assert before == list(catalog)


@pytest.mark.parametrize("name", ["TEXT_DELTA", "text_delta", "USER_TEXT_INPUT"])
def test_a_name_that_is_taken_is_refused_in_any_case(name: str) -> None:
    catalog = Catalog.standard()

    with pytest.raises(DuplicateName, match="replace=True"):
        catalog.register(ToolUsed, name)

    assert list(Catalog.standard()) == list(catalog)


def test_a_second_name_for_a_class_is_refused() -> None:
    catalog = Catalog.standard()

    with pytest.raises(DuplicateName):
        catalog.register(TextDelta, "MY_DELTA")

    assert catalog.name_of(TextDelta) == "TEXT_DELTA"


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_a_blank_name_is_refused(name: str) -> None:
    with pytest.raises(BlankName):
        Catalog.standard().register(ToolUsed, name)


NO_EVENTS = [Event, Request, Response, Plain, UserTextInput, Progress, Progress[int], "ToolUsed", None]


@pytest.mark.parametrize("cls", NO_EVENTS)
def test_what_is_no_concrete_event_is_refused(cls: Any) -> None:
    with pytest.raises(NotAnEvent):
        Catalog.standard().register(cls)


class Verdict(Response, frozen=True, kw_only=True):
    """A custom answer."""

    request_id: str
    verdict: str


class Trial(Request, frozen=True, kw_only=True):
    """A custom question."""

    answered_by = Verdict

    request_id: str


class NamelessVerdict(Response, frozen=True, kw_only=True):
    """An answer to nothing."""

    verdict: str


class EndlessTrial(Request, frozen=True, kw_only=True):
    """A question without an answer."""

    request_id: str


def test_a_custom_question_and_its_answer_are_taken() -> None:
    catalog = Catalog.standard()

    assert (catalog.register(Verdict), catalog.register(Trial)) == ("VERDICT", "TRIAL")


@pytest.mark.parametrize(("cls", "lacks"), [(NamelessVerdict, "request_id"), (EndlessTrial, "answered_by")])
def test_half_a_pair_is_refused(cls: type[Event], lacks: str) -> None:
    with pytest.raises(IncompletePair, match=lacks):
        Catalog.standard().register(cls)


def test_a_concrete_child_of_a_generic_event_is_taken() -> None:
    assert Catalog.standard().register(CountedProgress) == "COUNTED_PROGRESS"


@pytest.mark.parametrize(
    ("cls", "member"),
    [(TypedTwice, "type"), (Kinded, "kind"), (Interrupting, "canInterrupt"), (Tagged, "type")],
)
def test_a_member_that_the_envelope_has_of_its_own_is_refused(cls: type[Event], member: str) -> None:
    with pytest.raises(ReservedMember, match=member):
        Catalog.standard().register(cls)


def test_replacing_forgets_the_names_former_class() -> None:
    catalog = Catalog.standard()

    catalog.register(ToolUsed, "TEXT_DELTA", replace=True)

    assert catalog.named("TEXT_DELTA") is ToolUsed
    with pytest.raises(NotAnEvent):
        catalog.name_of(TextDelta)


def test_replacing_forgets_the_classs_former_name() -> None:
    catalog = Catalog.standard()

    catalog.register(TextDelta, "MY_DELTA", replace=True)

    assert catalog.named("TEXT_DELTA") is None
    assert catalog.named("MY_DELTA") is TextDelta


def test_a_class_that_was_renamed_keeps_its_name_when_another_takes_the_old_one() -> None:
    catalog = Catalog.standard()
    catalog.register(TextDelta, "MY_DELTA", replace=True)

    catalog.register(ToolUsed, "TEXT_DELTA")

    assert catalog.name_of(TextDelta) == "MY_DELTA"
    assert catalog.named("MY_DELTA") is TextDelta


def test_every_error_of_a_registration_is_a_catalog_error() -> None:
    for error in (NotAnEvent, BlankName, ReservedMember, DuplicateName):
        assert issubclass(error, CatalogError)


def test_each_standard_class_has_one_name() -> None:
    names = [cls.wire_type for cls in CLASSES.values()]

    assert sorted(names) == sorted(CLASSES)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ['with "quotes"', "back\\slash", "line\nfeed", "ümlaut", "emoji 🌿"])
def test_any_name_makes_one_line_of_json(name: str) -> None:
    catalog = Catalog.standard()
    catalog.register(ToolUsed, name)
    serializer = Serializer(catalog)
    encoded = serializer.encode(ToolUsed(tool="hammer"), Stamp(SessionId("s"), BranchId("b")).at(STARTED))

    (line,) = number([encoded], Position("3f9a1c07b2de", 7))

    assert name == msgspec.json.decode(line)["type"]
    assert b"\n" not in line
    assert isinstance(serializer.decode(line), ToolUsed)

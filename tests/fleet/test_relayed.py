"""What is taken of a worker's frames, without a server."""

from hosting.domain.relayed import INTERVIEW_OVER, MOST_REMEMBERED, Frame, Relayed


def test_a_batch_out_of_order_is_taken_in_order_and_what_is_doubled_once() -> None:
    batch = Relayed().take([Frame(2, "c"), Frame(0, "a"), Frame(1, "b"), Frame(0, "again")])

    assert [frame.text for frame in batch.taken] == ["a", "b", "c"]
    assert (batch.after.last, batch.missing) == (2, 0)


def test_what_is_late_is_dropped_and_what_is_missing_counted() -> None:
    first = Relayed().take([Frame(1, "b"), Frame(4, "e")])

    second = first.after.take([Frame(0, "a"), Frame(2, "c"), Frame(4, "e"), Frame(5, "f")])

    assert [frame.text for frame in second.taken] == ["f"]
    assert (first.missing, second.missing, second.after.missing, second.after.is_whole) == (3, 0, 3, False)


def test_a_turn_that_another_has_followed_takes_nothing_more() -> None:
    one = Relayed().of_turn("one")
    assert one is not None
    two = one.take([Frame(0, "a")]).after.of_turn("two")
    assert two is not None

    assert two.of_turn("one") is None
    assert (two.turn, two.last, two.over) == ("two", -1, ("one",))


def test_the_turns_that_are_remembered_are_bounded() -> None:
    relayed: Relayed | None = Relayed()
    for number in range(3 * MOST_REMEMBERED):
        assert relayed is not None
        relayed = relayed.of_turn(f"turn-{number}")

    assert relayed is not None
    assert len(relayed.over) == MOST_REMEMBERED
    assert relayed.of_turn(f"turn-{3 * MOST_REMEMBERED - 2}") is None


def test_the_end_of_an_interview_is_found_once_wherever_it_is_cut() -> None:
    text = f"Bye. {INTERVIEW_OVER} And more."
    for cut in range(len(text)):
        first = Relayed().take([Frame(0, text[:cut])])
        second = first.after.take([Frame(1, text[cut:]), Frame(2, INTERVIEW_OVER)])

        assert first.ends_interview != second.ends_interview, cut
        assert second.after.is_interview_over

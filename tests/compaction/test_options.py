"""What definitions and inputs say of compaction, over what is said already."""

import pytest

from events.compaction import CompactionStrategy, Retention
from hosting.domain.compaction_options import CompactionOptions, CompactionTrigger
from middleware.compaction_policy import CompactionPolicy

POLICY = CompactionPolicy(
    after_messages=20, keep_messages=8, retention=Retention.HARD, on_fork=True, instructions="Be brief."
)


def test_what_is_left_out_is_as_the_policy_has_it() -> None:
    assert CompactionOptions().over(POLICY) == POLICY


def test_what_is_said_takes_the_place_of_the_policys_words() -> None:
    said = CompactionOptions(
        strategy=CompactionStrategy.WINDOW,
        trigger=CompactionTrigger(tokens=500),
        keep_messages=3,
        retention=Retention.SOFT,
    )

    assert said.over(POLICY) == CompactionPolicy(
        after_tokens=500,
        keep_messages=3,
        strategy=CompactionStrategy.WINDOW,
        on_fork=True,
        instructions="Be brief.",
    )


@pytest.mark.parametrize(
    ("said", "after", "keep"),
    [
        (CompactionOptions(keep_messages=40), 42, 40),
        (CompactionOptions(keep_messages=19), 21, 19),
        (CompactionOptions(keep_messages=18), 20, 18),
        (CompactionOptions(trigger=CompactionTrigger(messages=5)), 5, 3),
        (CompactionOptions(trigger=CompactionTrigger(messages=3)), 3, 1),
    ],
)
def test_where_both_do_not_fit_together_what_is_said_holds(said: CompactionOptions, after: int, keep: int) -> None:
    policy = said.over(POLICY)

    assert (policy.after_messages, policy.keep_messages) == (after, keep)


def test_what_keeps_more_than_there_may_be_contradicts_itself() -> None:
    def said(keep: int) -> CompactionOptions:
        return CompactionOptions(keep_messages=keep, trigger=CompactionTrigger(messages=10))

    assert [said(keep).contradicts_itself for keep in (8, 9, 10)] == [False, True, True]

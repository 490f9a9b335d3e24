"""For the tests of agents: a conversation with one, on a real server inside the test's process."""

from hosting.testing.answers import NotAnswered
from hosting.testing.conversation import Call, Conversation
from hosting.testing.converse import converse, converse_async

__all__ = ["Call", "Conversation", "NotAnswered", "converse", "converse_async"]

"""What went wrong between a command and its server, with what can be done about it."""

from typing import Final

from hosting.client import AnswerUnreadable, ClientError, Problem, ServerUnreachable

_NOT_KNOWN: Final = 401


def advice(who: str, url: str, error: ClientError) -> str:
    """Return an error of the client's in sentences; `who` is the command, `url` where it has asked."""
    if isinstance(error, ServerUnreachable):
        return f"{error} Start one with `branchline serve`, or name another with --url."
    if isinstance(error, AnswerUnreadable):
        return f"{error} Perhaps {url} is something else than a Branchline server; --url names another address."
    if isinstance(error, Problem) and error.status == _NOT_KNOWN:
        return f"{error} `{who}` takes a key from BRANCHLINE_KEY, or from --key."
    return str(error)

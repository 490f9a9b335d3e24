"""What can go wrong between a client and a server.

ClientError
+-- AddressRefused       the URL is no address of a server
+-- KeyRefused           the key cannot be one
+-- ProxyRefused         the environment names a proxy that cannot be used
+-- ServerUnreachable    nothing answers there
+-- AnswerLost           the connection broke before the answer; whether the request was done is not known
+-- AnswerUnreadable     something answers that does not speak as Branchline does
+-- Problem              the server refused, with a problem document
|   +-- ResponseRefused  an answer to a question counts for nothing
+-- FeedLost             a cut feed could not be taken up again
+-- PlaceLost            the log no longer has the place that was followed from
"""


class ClientError(Exception):
    """The root of what the client raises; its sentence is for people."""


class AddressRefused(ClientError):
    """The URL is no address of a server."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(f"{url!r} is no address of a server; it looks like http://127.0.0.1:8000.")


class KeyRefused(ClientError):
    """The key cannot be one; it is not told, since it is a secret all the same."""

    def __init__(self) -> None:
        super().__init__("The key holds what no key holds, or nothing; one looks like rsk_live_...")


class ProxyRefused(ClientError):
    """The environment names a proxy that cannot be used, in ALL_PROXY, HTTP_PROXY or HTTPS_PROXY."""

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(f"The proxy that the environment names cannot be used: {cause}")


class ServerUnreachable(ClientError):
    """No connection came about, so nothing was asked for."""

    def __init__(self, url: str, cause: str) -> None:
        self.url, self.cause = url, cause
        super().__init__(f"No server answers at {url} ({cause}).")


class AnswerLost(ClientError):
    """The connection broke, or the time ran out, before the answer came."""

    def __init__(self, request: str, cause: str) -> None:
        self.request, self.cause = request, cause
        super().__init__(f"The answer to {request} was lost ({cause}); whether it was done is not known.")


class AnswerUnreadable(ClientError):
    """Something answers that does not speak as Branchline does."""

    def __init__(self, request: str, status: int) -> None:
        self.request, self.status = request, status
        super().__init__(f"{request} was answered with status {status} and no words of Branchline's.")


class Problem(ClientError):
    """The server refused: `code` is for programs, `detail` for people (RFC 9457)."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(f"{detail} ({code})")


class ResponseRefused(Problem):
    """An answer to a question counts for nothing; `outcome` is the word for why (`events.interactions`)."""

    def __init__(self, status: int, code: str, detail: str, outcome: str) -> None:
        self.outcome = outcome
        super().__init__(status, code, detail)


class FeedLost(ClientError):
    """A feed brought nothing new in too many connections; `position` is the last place it reached."""

    def __init__(self, attempts: int, cause: str, position: str | None) -> None:
        self.attempts, self.cause, self.position = attempts, cause, position
        super().__init__(f"The feed could not be taken up again in {attempts} attempts ({cause}).")


class PlaceLost(ClientError):
    """The log no longer has the place that was followed from, so events may be missing; `GET events` has the log."""

    def __init__(self, reason: str, latest: str) -> None:
        self.reason, self.latest = reason, latest
        super().__init__(f"The log cannot be followed from the place reached before ({reason}).")

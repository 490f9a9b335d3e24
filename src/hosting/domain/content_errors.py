"""What can go wrong with contents.

BranchlineError
+-- NotFound
|   +-- ContentMissing
+-- Invalid
|   +-- InvalidContentType      what should be a form is none
|   +-- NoFileProvided          the form has no file, or an empty one
|   +-- InvalidFileName         a file cannot be called that
+-- Conflict
|   +-- ContentFull             the session or the tenant keeps as much as it may
+-- ContentDamaged              stored bytes do not fit their checksum

AgentError
+-- ContentGone                 a run needs a content that has been deleted
+-- ContentTooLarge             a run needs more of contents than a model is given
+-- ContentsElsewhere           a run is at a worker, which has no way to contents
"""

from events.ids import ContentId
from hosting.domain.errors import BranchlineError, Conflict, Invalid, NotFound
from middleware.errors import AgentError

_SHOWN = 100


class ContentMissing(NotFound):
    """No such content."""

    code = "content-not-found"

    def __init__(self, content_id: str) -> None:
        super().__init__(f"This session has no content {content_id[:_SHOWN]!r}.")


class InvalidContentType(Invalid):
    """An upload is not a form with a file in it, multipart/form-data."""

    code = "invalid-content-type"


class NoFileProvided(Invalid):
    """The form of an upload has no file in a field named `file`, or an empty one."""

    code = "no-file-provided"

    def __init__(self, why: str = "has none") -> None:
        super().__init__(f"The form must have one file in a field named `file`, and not an empty one; this {why}.")


class InvalidFileName(Invalid):
    """The name of an uploaded file is a path, too long, or has characters that no name has."""

    code = "invalid-file-name"


class ContentFull(Conflict):
    """A session or a tenant keeps as much content as it may."""

    code = "content-full"

    def __init__(self, whose: str, most: str) -> None:
        super().__init__(f"{whose} may keep {most} of contents, and there is no room for this; delete some first.")


class ContentDamaged(BranchlineError):
    """The stored bytes of a content are damaged, or some are gone."""

    def __init__(self, content_id: ContentId, number: int) -> None:
        super().__init__(f"Chunk {number} of content {content_id} is not there or does not fit its checksum.")


class ContentGone(AgentError):
    """A run needs a content that is not there any more."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"The file {uri[:_SHOWN]} is not there any more: somebody has deleted it.")


class ContentsElsewhere(AgentError):
    """A run is done where uploaded files cannot be read."""

    def __init__(self) -> None:
        super().__init__("A worker cannot read uploaded files; send the file in the message, as a data: URI.")


class ContentTooLarge(AgentError):
    """A run needs more of contents than a model is given."""

    def __init__(self, size_bytes: int, most_bytes: int) -> None:
        super().__init__(
            f"The files of this message have {size_bytes} bytes together; a model is given {most_bytes} at most."
        )

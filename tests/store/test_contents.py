"""What the tables hold of a message's contents."""

from events.branches import DataContent, FunctionCall, FunctionResult, ReasoningContent, TextContent, UriContent
from events.tools import ToolResult
from hosting.adapters.sql.contents import decode_contents, encode_contents

AS_FIRST_STORED = (
    b'[{"$type":"reasoning","text":"hm"},{"$type":"text","text":"a"},'
    b'{"$type":"functionCall","callId":"c","name":"f","arguments":{"x":1}},'
    b'{"$type":"functionResult","callId":"c","result":{"text":"b"}}]'
)


def test_rows_from_before_there_were_files_are_read_and_written_as_ever() -> None:
    read = decode_contents(AS_FIRST_STORED)

    assert read == (
        ReasoningContent(text="hm"),
        TextContent(text="a"),
        FunctionCall(call_id="c", name="f", arguments={"x": 1}),
        FunctionResult(call_id="c", result=ToolResult(text="b")),
    )
    assert encode_contents(read) == AS_FIRST_STORED


def test_files_come_back_as_they_were_stored() -> None:
    contents = (
        DataContent(uri="data:image/png;base64,AAAA", media_type="image/png"),
        UriContent(uri="https://example.org/a", media_type="audio/mpeg"),
    )

    assert decode_contents(encode_contents(contents)) == contents

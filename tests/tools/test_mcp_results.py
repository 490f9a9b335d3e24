"""What MCP servers answer to calls, as results of tools."""

import msgspec
import pytest
from mcp import types

from events.tools import ToolBinary, ToolResult
from hosting.adapters.models.mcp_result import result_of_call
from hosting.adapters.models.returns import value_of
from hosting.adapters.models.secrets import Secrets
from hosting.adapters.models.toolset_failed import ToolsetFailed

SECRETS = Secrets(["Bearer tell-nobody"])


def _answer(*pieces: types.ContentBlock, structured: dict[str, object] | None = None) -> ToolResult:
    return result_of_call(types.CallToolResult(content=list(pieces), structured_content=structured), SECRETS)


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _image(data: str) -> types.ImageContent:
    return types.ImageContent(type="image", data=data, mime_type="image/png")


def test_words_links_and_files_of_text_are_the_text_and_all_else_is_content() -> None:
    page = types.TextResourceContents(uri="file:///page", text="A page.")
    sound = types.BlobResourceContents(uri="file:///song", blob="c29uZw==", mime_type="audio/ogg")

    result = _answer(
        _text("Two pieces:"),
        types.ResourceLink(type="resource_link", name="more", uri="file:///more"),
        types.EmbeddedResource(type="resource", resource=page),
        types.EmbeddedResource(type="resource", resource=sound),
        _image("cGl4ZWw="),
    )

    assert result.text == "Two pieces:\nmore: file:///more\nA page."
    assert result.content == (
        ToolBinary(mime_type="audio/ogg", data="c29uZw==", filename="file:///song"),
        ToolBinary(mime_type="image/png", data="cGl4ZWw="),
    )


def test_a_model_is_given_what_is_structured_and_else_the_text() -> None:
    assert value_of(_answer(_text('{"a": 1}'), structured={"a": 1})) == {"a": 1}
    assert value_of(_answer(_text('{"a": 1}'))) == '{"a": 1}'
    assert value_of(_answer()) is None


def test_what_is_too_long_is_cut_and_what_is_too_large_is_left_out() -> None:
    long = _answer(_text("x" * 300_000))

    assert long.text == "x" * (256 << 10) + "\n(Cut here: 300000 characters in all.)"
    for data in ("x" * (5 << 20), "no base64!", "a"):
        left_out = _answer(_image(data))
        assert (left_out.text, left_out.content) == ("(Left out: a file that is too large, or broken.)", None)


def test_keys_are_hidden_in_results_and_errors() -> None:
    told = _answer(_text("Your key is tell-nobody."), structured={"key": "Bearer tell-nobody"})
    failed = types.CallToolResult(content=[_text("401 for tell-nobody")], is_error=True)

    assert (told.text, bytes(told.json)) == ("Your key is ***.", b'{"key":"***"}')
    with pytest.raises(ToolsetFailed, match=r"^401 for \*\*\*$"):
        result_of_call(failed, SECRETS)


@pytest.mark.parametrize("pieces", [[], [_image("cGl4ZWw=")], [_text("\u0001" * 100_000)]])
def test_an_answer_without_words_that_fit_is_a_result_that_can_be_read_again(pieces: list[types.ContentBlock]) -> None:
    result = _answer(*pieces)

    assert msgspec.json.decode(msgspec.json.encode(result), type=ToolResult) == result


@pytest.mark.parametrize("mime_type", ["image", "image/../x", "", "a b/c", f"image/{'x' * 200}"])
def test_what_has_no_type_that_a_model_could_take_is_left_out_in_words(mime_type: str) -> None:
    result = _answer(types.ImageContent(type="image", data="cGl4ZWw=", mime_type=mime_type))

    assert (result.text, result.content) == ("(Left out: a file that is too large, or broken.)", None)


def test_parameters_of_a_type_are_left_out() -> None:
    result = _answer(types.AudioContent(type="audio", data="c29uZw==", mime_type="Audio/WAV; rate=8000"))

    assert result.content == (ToolBinary(mime_type="audio/wav", data="c29uZw=="),)

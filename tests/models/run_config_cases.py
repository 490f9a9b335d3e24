"""Members of runConfig: what a provider gets of each, or why it is refused."""

from collections.abc import Callable
from typing import Any

from tests.harness.providers.request import Request

FORM = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
HARNESS = {
    "name": "editor",
    "description": "An editor.",
    "systemPrompt": "The editor is open.",
    "tools": [{"name": "open_file", "description": "Open.", "parametersSchema": {"type": "object"}}],
}


def system_of(request: Request) -> list[str]:
    """Return what the model is told to be, sentence by sentence, however the library joins them."""
    said = [message["content"] for message in request.body["messages"] if message["role"] == "system"]
    return [line for line in "\n".join(said).split("\n") if line]


def tools_of(request: Request) -> list[str]:
    return [tool["function"]["name"] for tool in request.body.get("tools", [])]


def form(schema: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a configuration that asks for an answer in a form with one member, which has this schema."""
    whole = {"type": "object", "properties": {"x": schema, "y": {"type": "string"}}, **members}
    return {"structuredOutput": {"mode": "native", "schema": whole}}


CHAIN: dict[str, Any] = {
    f"d{number}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/d{number + 1}"}}} for number in range(300)
}
# Looked at from its end, no part of it is deep by itself.
STAIRS: dict[str, Any] = {f"d{number}": {"items": {"$ref": f"#/$defs/d{number - 1}"}} for number in range(1, 300)}

HONOURED: list[tuple[str, dict[str, Any], Callable[[Request], Any], Any]] = [
    ("plain", {}, lambda request: request.body["model"], "local-model"),
    ("plain", {}, lambda request: request.headers["authorization"], "Bearer CANARY-file-key"),
    ("plain", {}, tools_of, ["clock"]),
    ("plain", {"chat": {"temperature": 0}}, lambda request: request.body["temperature"], 0),
    ("plain", {"chat": {"topP": 0.5}}, lambda request: request.body["top_p"], 0.5),
    ("claude", {"chat": {"topK": 7}}, lambda request: request.body["top_k"], 7),
    ("plain", {"chat": {"maxOutputTokens": 9}}, lambda request: request.body["max_tokens"], 9),
    ("claude", {"chat": {"maxOutputTokens": 9}}, lambda request: request.body["max_tokens"], 9),
    ("plain", {"chat": {"frequencyPenalty": -1}}, lambda request: request.body["frequency_penalty"], -1),
    ("plain", {"chat": {"presencePenalty": 1.5}}, lambda request: request.body["presence_penalty"], 1.5),
    ("plain", {"chat": {"stopSequences": ["END"]}}, lambda request: request.body["stop"], ["END"]),
    ("plain", {"chat": {"modelId": "other"}}, lambda request: request.body["model"], "other"),
    ("claude", {"chat": {"modelId": "claude-haiku-4-5"}}, lambda request: request.body["model"], "claude-haiku-4-5"),
    ("plain", {"chat": {"additionalProperties": {"a": [1]}}}, lambda request: request.body["a"], [1]),
    ("thinker", {"chat": {"reasoning": {"effort": "Low"}}}, lambda request: request.body["reasoning"]["effort"], "low"),
    (
        "thinker",
        {"chat": {"reasoning": {"output": "full"}}},
        lambda request: request.body["reasoning"]["summary"],
        "detailed",
    ),
    (
        "claude",
        {"chat": {"reasoning": {"effort": "medium"}}},
        lambda request: request.body["thinking"]["type"],
        "enabled",
    ),
    (
        "plain",
        {"providerKey": "anthropic", "modelId": "claude-x"},
        lambda request: (request.path.partition("?")[0], request.body["model"], request.headers["authorization"]),
        ("/v1/messages", "claude-x", "Bearer CANARY-usual-key"),
    ),
    ("plain", {"providerOptionsJson": '{"b":{"a":1}}'}, lambda request: request.body["b"], {"a": 1}),
    ("adopted", {"providerOptionsJson": '{"a":1}'}, lambda request: (request.body["a"], request.body["own"]), (1, 1)),
    ("adopted", {"chat": {"temperature": 0.1}}, lambda request: request.body["temperature"], 0.1),
    ("adopted", {}, system_of, ["The own prompt.", "The own instructions."]),
    ("adopted", {"systemInstructions": "New."}, system_of, ["New."]),
    (
        "adopted",
        {"additionalSystemInstructions": "More."},
        system_of,
        ["The own prompt.", "The own instructions.", "More."],
    ),
    ("plain", {"systemInstructions": "New.", "additionalSystemInstructions": "More."}, system_of, ["New.", "More."]),
    ("adopted", {}, tools_of, ["weather"]),
    ("adopted", {"skipTools": True}, tools_of, []),
    ("plain", {"skipTools": True}, lambda request: "tools" in request.body, False),
    ("plain", {"clientToolInput": {"clientToolHarnesses": [HARNESS]}}, tools_of, ["clock", "open_file"]),
    (
        "plain",
        {"clientToolInput": {"clientToolHarnesses": [HARNESS]}},
        system_of,
        ["Be brief.", "The editor is open."],
    ),
    (
        "plain",
        {"structuredOutput": {"mode": "native", "schema": FORM, "name": "place", "description": "A place."}},
        lambda request: request.body["response_format"]["json_schema"]["name"],
        "place",
    ),
    ("plain", {"apiKey": "CANARY-run-key"}, lambda request: request.headers["authorization"], "Bearer CANARY-run-key"),
    (
        "adopted",
        {"customHeaders": {"X-Custom": "CANARY-header"}},
        lambda request: (request.headers["x-custom"], request.headers["x-own"]),
        ("CANARY-header", "1"),
    ),
    ("assistant", {}, lambda request: request.body["model"], "assistant-model"),
    ("assistant", {}, lambda request: request.headers["authorization"], "Bearer CANARY-openai-key"),
]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    *(
        ("plain", {member: "x"}, member)
        for member in (
            "useCache",
            "contextOverrides",
            "conversationIdOverride",
            "allowBackgroundResponses",
            "backgroundPollingInterval",
            "backgroundTimeout",
            "userMessage",
            "audio",
            "uploadStrategy",
            "triggerHistoryReduction",
            "skipHistoryReduction",
            "historyReductionBehaviorOverride",
        )
    ),
    ("plain", {"chat": {"seed": 1}}, "chat.seed"),
    ("plain", {"chat": {"reasoning": {"style": "x"}}}, "chat.reasoning.style"),
    ("plain", {"chat": {"topK": 3}}, "chat.topK"),
    ("plain", {"chat": {"reasoning": {"effort": "low"}}}, "chat.reasoning.effort"),
    ("plain", {"chat": {"reasoning": {"output": "summary"}}}, "chat.reasoning.output"),
    ("claude", {"chat": {"reasoning": {"output": "full"}}}, "chat.reasoning.output"),
    ("claude", {"chat": {"presencePenalty": 1}}, "chat.presencePenalty"),
    ("thinker", {"chat": {"temperature": 0.5}}, "chat.temperature"),
    ("thinker", {"chat": {"stopSequences": ["END"]}}, "chat.stopSequences"),
    ("plain", {"modelId": "other"}, "modelId"),
    ("plain", {"providerKey": "openai"}, "providerKey"),
    ("plain", {"providerKey": "openai", "modelId": "a", "chat": {"modelId": "b"}}, "chat.modelId"),
    ("plain", {"providerKey": "opnai", "modelId": "a"}, "providerKey"),
    ("plain", {"providerKey": "groq", "modelId": "a"}, "GROQ_API_KEY"),
    ("plain", {"providerKey": "cohere", "modelId": "a"}, "pydantic-ai-slim[cohere]"),
    ("plain", {"providerOptionsJson": '{"stream":false}'}, "providerOptionsJson"),
    ("plain", {"chat": {"additionalProperties": {"messages": []}}}, "chat.additionalProperties"),
    ("plain", {"providerOptionsJson": '{"previous_response_id":"resp_1"}'}, "previous_response_id"),
    ("unsettled", {"chat": {"modelId": "a"}}, "chat.modelId"),
    *(
        ("demo", {member: value}, member)
        for member, value in {
            "chat": {"temperature": 1},
            "providerKey": "openai",
            "modelId": "a",
            "providerOptionsJson": '{"a":1}',
            "systemInstructions": "x",
            "additionalSystemInstructions": "x",
            "skipTools": True,
            "structuredOutput": {"mode": "tool", "schema": FORM},
            "apiKey": "CANARY-run-key",
            "providerEndpoint": "http://127.0.0.1:9/v1",
            "customHeaders": {"x-custom": "CANARY-header"},
        }.items()
    ),
]
INVALID: list[tuple[dict[str, Any], str]] = [
    ({"chat": 1}, "chat"),
    ({"chat": {"temperature": 2.1}}, "chat.temperature"),
    ({"chat": {"temperature": "1"}}, "chat.temperature"),
    ({"chat": {"topP": -0.1}}, "chat.topP"),
    ({"chat": {"topK": 1.5}}, "chat.topK"),
    ({"chat": {"maxOutputTokens": 0}}, "chat.maxOutputTokens"),
    ({"chat": {"frequencyPenalty": 3}}, "chat.frequencyPenalty"),
    ({"chat": {"presencePenalty": True}}, "chat.presencePenalty"),
    ({"chat": {"modelId": ""}}, "chat.modelId"),
    ({"chat": {"stopSequences": [1]}}, "chat.stopSequences"),
    ({"chat": {"stopSequences": ["x"] * 17}}, "chat.stopSequences"),
    ({"chat": {"additionalProperties": []}}, "chat.additionalProperties"),
    ({"chat": {"reasoning": {"effort": "utmost"}}}, "chat.reasoning.effort"),
    ({"chat": {"reasoning": {"output": 7}}}, "chat.reasoning.output"),
    ({"providerKey": ""}, "providerKey"),
    ({"providerKey": "openai", "modelId": "x" * 201}, "modelId"),
    ({"providerOptionsJson": {"a": 1}}, "providerOptionsJson"),
    ({"providerOptionsJson": "[1]"}, "providerOptionsJson"),
    ({"providerOptionsJson": '{"a":'}, "providerOptionsJson"),
    ({"providerOptionsJson": '{"a":' + "[" * 100 + "]" * 100 + "}"}, "providerOptionsJson"),
    ({"systemInstructions": 1}, "systemInstructions"),
    ({"additionalSystemInstructions": ["x"]}, "additionalSystemInstructions"),
    ({"skipTools": "yes"}, "skipTools"),
    ({"coalesceDeltas": 1}, "coalesceDeltas"),
    ({"structuredOutput": {"mode": "native"}}, "structuredOutput.schema"),
    ({"structuredOutput": {"mode": "json", "schema": FORM}}, "structuredOutput.mode"),
    ({"structuredOutput": {"mode": "tool", "schema": {"type": "array"}}}, "structuredOutput.schema"),
    ({"structuredOutput": {"mode": "tool", "schema": FORM, "name": "no spaces"}}, "structuredOutput.name"),
    ({"structuredOutput": {"mode": "tool", "schema": {**FORM, "required": 1}}}, "structuredOutput.schema"),
    (
        {"structuredOutput": {"mode": "tool", "schema": {**FORM, "properties": {"a": {"$ref": "http://127.0.0.1:9"}}}}},
        "structuredOutput.schema",
    ),
    (form({"$ref": "#/$defs/d0"}, **{"$defs": {**CHAIN, "d300": {}}}), "too deep"),
    (form({"anyOf": [{"$ref": f"#/$defs/{name}"} for name in STAIRS]}, **{"$defs": {"d0": {}, **STAIRS}}), "too deep"),
    (form({"$ref": "#"}), "`$ref`"),
    (form({"$ref": "#/properties/y"}), "`$ref`"),
    (form({"$ref": "#/$defs/place/properties/a"}, **{"$defs": {"place": {"properties": {"a": {}}}}}), "`$ref`"),
    (form({"$ref": "#/definitions/a"}, definitions={"a": {"type": "string"}}), "`$ref`"),
    (form({"$ref": "#/$defs/a"}, **{"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}), "`$ref`"),
    ({"structuredOutput": {"mode": "tool", "schema": FORM, "name": "clock"}}, "structuredOutput.name"),
    ({"apiKey": "two words"}, "apiKey"),
    ({"providerEndpoint": "file:///etc"}, "providerEndpoint"),
    ({"providerEndpoint": "http://user:CANARY@127.0.0.1"}, "providerEndpoint"),
    ({"customHeaders": {"x-custom": "CANARY\r\nx: y"}}, "customHeaders"),
    ({"customHeaders": {"host": "x"}}, "customHeaders"),
]

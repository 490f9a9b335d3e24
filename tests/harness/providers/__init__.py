"""A provider of models that tests script: real HTTP, the wire of whichever provider was asked, answers as told.

A test of two lines:

    async with FakeProvider() as provider:
        provider.answers(Text("Let me "), Hold(seen), Text("see."), Call("weather", '{"city":', '"Oslo"}'))

Each `answers` is one model call's answer, in the order of the requests; `provider.otherwise` answers what is left.
The path says the wire: `/v1/chat/completions` and `/v1/responses` are OpenAI's, `/v1/messages` is Anthropic's; so a
client's base URL is `provider.openai` or `provider.anthropic`, and any key will do.
`await provider.request(0)` is the first request: its `body`, its `headers`, and `left()` to wait until its client left.
Faults are steps as well (steps.py has them all): `Status(429, {"retry-after": "1"})`, `Hold()`, `Drop()`, `Endless()`.
"""

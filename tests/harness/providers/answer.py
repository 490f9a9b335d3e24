"""One answer, given step by step."""

import asyncio
import json
from collections.abc import Sequence

from tests.harness.providers.steps import (
    Bare,
    Begin,
    Broken,
    Call,
    Drop,
    Endless,
    Finish,
    Hold,
    Raw,
    Reason,
    Spent,
    Status,
    Step,
    Text,
)
from tests.harness.providers.wire import Wire

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_fake\r\n"
    b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
)


class Answering:
    """Gives a script's steps to one client, each as a chunk of its own."""

    def __init__(self, wire: Wire, writer: asyncio.StreamWriter) -> None:
        self._wire = wire
        self._writer = writer
        self._begun = False
        self._spent: Spent | None = None
        self._finish: Finish | None = None

    async def give(self, script: Sequence[Step]) -> None:
        """Take each step; returns when the answer has ended as the script says, or as an answer does by itself."""
        for step in script:
            if not await self._take(step):
                return
        await self._send(self._wire.end(self._spent, self._finish))
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def _take(self, step: Step) -> bool:
        match step:
            case Hold():
                await step.until.wait()
            case Spent():
                self._spent = step
            case Finish():
                self._finish = step
            case Begin():
                await self._send(b"")
            case Text():
                await self._send(self._wire.text(step))
            case Reason():
                await self._send(self._wire.reason(step))
            case Call():
                await self._call(step)
            case Broken():
                await self._send(self._wire.broken(step))
            case Raw():
                await self._send(step.data)
            case Endless():
                while True:
                    await self._send(self._wire.text(Text(step.piece)))
                    await asyncio.sleep(step.pause_seconds)
            case Status():
                return await self._refuse(step)
            case Bare():
                self._begun = True
                self._writer.write(step.data)
                await self._writer.drain()
            case Drop():
                return self._drop(step)
        return True

    async def _call(self, step: Call) -> None:
        await self._send(self._wire.call(step))
        for fragment in step.fragments:
            if isinstance(fragment, Hold):
                await fragment.until.wait()
            else:
                await self._send(self._wire.fragment(fragment))
        await self._send(self._wire.end_call())

    async def _refuse(self, step: Status) -> bool:
        body = step.body if step.body is not None else self._wire.error(step)
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(encoded)), "connection": "close"}
        lines = [
            f"HTTP/1.1 {step.code} Scripted",
            *(f"{name}: {value}" for name, value in (headers | dict(step.headers)).items()),
        ]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + encoded)
        await self._writer.drain()
        return False

    def _drop(self, step: Drop) -> bool:
        if not step.politely:
            self._writer.transport.abort()
        return False

    async def _send(self, data: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._writer.write(_HEAD)
            data = self._wire.begin() + data
        if data:
            self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self._writer.drain()

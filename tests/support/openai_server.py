"""A real HTTP server that speaks OpenAI's protocol, and vLLM's additions to it, over a model of no size."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from typing import Any, Self

import torch
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse

from irl_core.policy.sampling import Drawn, Sampling
from irl_core.policy.transformers import TransformersPolicy

MODEL = "nano"


class NanoServer:
    """Serves `policy`, and `head` (a model for token classification) for pooling, in a thread of its own.

    Attributes:
        key: what a request must bring; None takes any.
        pause: seconds before each piece of an answer.
        dies_after: answers until it drops all connections and stops; None for never.
        most: requests that were being answered at one time.
        served: requests that were answered.
        headers: those of the last request.
        vllm: whether it has what vLLM adds to the protocol.
        knows_logprobs: whether a chat may ask for log-probabilities.
        garbled: whether what it streams is no answer.
    """

    def __init__(self, policy: TransformersPolicy, head: torch.nn.Module | None = None):
        self._port_holder = _bound(0)  # never listens: the port stays ours while no server runs
        self.port = self._port_holder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.policy, self.head = policy, head
        self.key: str | None = None
        self.pause, self.dies_after = 0.0, None
        self.active = self.most = self.served = 0
        self.headers: dict[str, str] = {}
        self.vllm = self.knows_logprobs = True
        self.garbled = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._port_holder.close()

    def start(self) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), log_level="critical", lifespan="off", loop="asyncio")
        )
        self._thread = threading.Thread(target=asyncio.run, args=[self._serve()], daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.01)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[_bound(self.port)])

    def kill(self) -> None:
        """Drop every connection in the middle of whatever it carries."""
        if self.alive:
            self._loop.call_soon_threadsafe(self._die)
            self._thread.join()

    def _die(self) -> None:
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        self._server.should_exit = self._server.force_exit = True

    def _app(self) -> FastAPI:
        app = FastAPI()
        app.get("/v1/models")(self.models)
        app.post("/v1/completions")(self.completions)
        app.post("/v1/chat/completions")(self.chat)
        app.post("/tokenize")(self.tokenize)
        app.post("/pooling")(self.pooling)
        app.exception_handler(HTTPException)(
            lambda _, e: JSONResponse({"error": {"message": e.detail, "code": e.status_code}}, e.status_code)
        )
        return app

    async def _body(self, request: Request) -> dict[str, Any]:
        self.headers = dict(request.headers)
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            raise HTTPException(401, "Unauthorized")
        body = await request.json() if request.method == "POST" else {}
        if body.get("model", MODEL) != MODEL:
            raise HTTPException(404, f"The model `{body['model']}` does not exist.")
        return body

    async def models(self, request: Request) -> dict[str, Any]:
        await self._body(request)
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": self.policy.context}]}

    async def tokenize(self, request: Request) -> dict[str, Any]:
        body = await self._body(request)
        if not self.vllm:
            raise HTTPException(404, "Not Found")
        return {"tokens": self.policy.tokenizer(body["prompt"], add_special_tokens=False)["input_ids"]}

    async def completions(self, request: Request) -> Any:
        body = await self._body(request)
        if body.get("stream"):
            return StreamingResponse(
                self._stream(body, body["prompt"], self._completion), media_type="text/event-stream"
            )
        self.served += 1
        return {"choices": [self._echo(body, i, ids) for i, ids in enumerate(body["prompt"])]}

    async def chat(self, request: Request) -> Any:
        body = await self._body(request)
        content = body["messages"][-1]["content"]
        if len(content) > 1000:
            raise HTTPException(400, "maximum context length exceeded")
        if body.get("logprobs") and not self.knows_logprobs:
            raise HTTPException(400, "logprobs are not supported")
        prompt = self.policy._prompt_ids(content, Sampling(max_tokens=body["max_tokens"]))
        return StreamingResponse(self._stream(body, prompt, self._message), media_type="text/event-stream")

    async def pooling(self, request: Request) -> dict[str, Any]:
        body = await self._body(request)
        assert body["task"] == "token_classify"
        assert body["use_activation"] is False
        with torch.no_grad():
            values = [self.head(torch.tensor([ids])).logits[0].tolist() for ids in body["input"]]
        self.served += 1
        return {"data": [{"index": i, "object": "pooling", "data": v} for i, v in enumerate(values)]}

    def _echo(self, body: dict[str, Any], index: int, ids: list[int]) -> dict[str, Any]:
        with torch.no_grad():
            logits = self.policy.model(torch.tensor([ids])).logits[0, :-1]
        found = logits.log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()
        choice: dict[str, Any] = {"index": index, "text": "", "finish_reason": "length"}
        if self.vllm:
            entries = [{str(i): {"logprob": p, "rank": 1}} for i, p in zip(ids[1:], found, strict=True)]
            return choice | {"prompt_logprobs": [None, *entries]}
        return choice | {"logprobs": {"token_logprobs": [None, *found, -1.0]}}  # with the one that was drawn

    async def _stream(self, body: dict[str, Any], prompt: list[int], piece: Any) -> AsyncIterator[str]:
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            how = Sampling(1, body["temperature"], body["top_p"], 0, body["max_tokens"])
            before = Drawn(0, 0, (), ())
            for drawn in self.policy._draw([prompt], [[body["seed"]]], how, threading.Event()):
                await asyncio.sleep(self.pause)
                self._live_or_die()
                choice = {"token_ids": 7, "logprobs": 8} if self.garbled else piece(before, drawn)
                if body.get("logprobs") is None:
                    del choice["logprobs"]
                yield f"data: {json.dumps({'choices': [choice]})}\n\n"
                before = drawn
            self.served += 1  # before whoever asked can know that it is
            yield "data: [DONE]\n\n"
        finally:
            self.active -= 1

    def _live_or_die(self) -> None:
        if self.dies_after is not None and self.served >= self.dies_after:
            self._die()
            raise ConnectionAbortedError

    def _completion(self, before: Drawn, now: Drawn) -> dict[str, Any]:
        known = len(before.token_ids)
        end = [*self.policy.stop_ids][:1] if now.stopped == "end" else []
        choice = {"index": 0, "text": "", "finish_reason": _reason(now)}
        logprobs = {"token_logprobs": [*now.logprobs[known:], *(-1.0 for _ in end)]}
        return choice | {"logprobs": logprobs} | ({"token_ids": [*now.token_ids[known:], *end]} if self.vllm else {})

    def _message(self, before: Drawn, now: Drawn) -> dict[str, Any]:
        decode = self.policy.tokenizer.convert_ids_to_tokens
        known = len(before.token_ids)
        entries = [
            {"token": decode(i), "bytes": [_BYTE_OF[c] for c in decode(i)], "logprob": p}
            for i, p in zip(now.token_ids[known:], now.logprobs[known:], strict=True)
        ]
        text = self.policy.tokenizer.decode(now.token_ids)
        ended = _reason(now) is not None
        whole = text if ended else text.rstrip("\ufffd")
        delta = {"content": whole[len(self.policy.tokenizer.decode(before.token_ids).rstrip("\ufffd")) :]}
        return {"index": 0, "delta": delta, "logprobs": {"content": entries}, "finish_reason": _reason(now)}


def _bound(port: int) -> socket.socket:
    """A socket on a port that sockets of this kind alone may share; 0 takes a free one."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if port:  # where a server was before, connections that it closed may still linger
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def _reason(drawn: Drawn) -> str | None:
    return {None: None, "end": "stop", "length": "length"}[drawn.stopped]


def _bytes_of_letters() -> dict[str, int]:
    """The byte that each letter of a byte-level vocabulary stands for."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(b): b for b in shown} | {chr(256 + i): b for i, b in enumerate(hidden)}


_BYTE_OF = _bytes_of_letters()

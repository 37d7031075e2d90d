"""Which names the page answers to, and what it tells browsers to allow."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ui.request_guard import KnownHosts, SecurityHeaders, allowed_hosts, is_allowed

PAGE = '<html><head><script>1</script><script type="module" src="a.js"></script></head><scripted></html>'


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    for name in ("SYSTEM", "SPACE_HOST", "ERRATA_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)


def client(*named: str, root_path: str | None = None) -> TestClient:
    async def socket(websocket):
        await websocket.accept()

    app = Starlette(
        routes=[
            Route("/", lambda request: HTMLResponse(PAGE)),
            Route("/other", lambda request: HTMLResponse(PAGE)),
            Route("/data", lambda request: JSONResponse({})),
            WebSocketRoute("/socket", socket),
        ],
        middleware=[Middleware(KnownHosts, hosts=allowed_hosts(named, root_path)), Middleware(SecurityHeaders)],
    )
    return TestClient(app, base_url="http://127.0.0.1:7860")


def status(app: TestClient, host: str, **headers: str) -> int:
    return app.get("/", headers={"host": host, **headers}).status_code


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860", "192.168.0.7:80", "errata.localhost"]
)
def test_this_machines_names_and_addresses_in_numbers_are_answered(host):
    assert status(client(), host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example", "a@localhost", "", "["],
)
def test_a_foreign_name_is_refused_without_repeating_it(host):
    reply = client().get("/", headers={"host": host})
    assert reply.status_code == 421
    assert "evil" not in reply.text
    assert "--allowed-host" in reply.text


def test_a_script_of_a_foreign_page_cannot_call_itself_forwarded():
    assert status(client(), "evil.example", **{"x-forwarded-host": "localhost"}) == 421


def test_a_proxy_that_names_itself_as_forwarded_needs_no_option():
    assert status(client(), "127.0.0.1:7860", **{"x-forwarded-host": "errata.school.example"}) == 200


def test_a_proxy_that_passes_its_own_name_on_is_known_by_an_option_the_root_path_or_the_environment(monkeypatch):
    host = "errata.school.example"
    assert status(client(), host) == 421
    assert status(client(host), host) == 200
    assert status(client("*.school.example"), host) == 200
    assert status(client("*.school.example"), "school.example.evil") == 421
    assert status(client(root_path=f"https://{host}/errata"), host) == 200
    assert status(client(root_path="/errata"), host) == 421
    monkeypatch.setenv("ERRATA_ALLOWED_HOSTS", f"other.example, {host}")
    assert status(client(), host) == 200


def test_a_space_answers_to_its_own_name(monkeypatch):
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_HOST", "someone-errata.hf.space")
    assert status(client(), "someone-errata.hf.space") == 200
    assert status(client(), "10.0.0.5:7860") == 200
    assert status(client(), "evil.example") == 421
    monkeypatch.delenv("SYSTEM")
    assert not is_allowed("someone-errata.hf.space", allowed_hosts())


def test_a_socket_for_a_foreign_name_is_closed():
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("/socket", headers={"host": "evil.example"}),
    ):
        pass
    with client().websocket_connect("/socket", headers={"host": "localhost"}):
        pass


def policy(reply) -> dict[str, str]:
    parts = reply.headers["content-security-policy"].split("; ")
    return {name: values for name, _, values in (part.partition(" ") for part in parts)}


def test_the_scripts_of_a_page_carry_a_number_that_is_drawn_anew_and_no_other_runs():
    first, second = client().get("/"), client().get("/")
    (number,) = set(re.findall(r'<script nonce="([\w-]{20,})"', first.text))
    assert first.text.count(number) == 2
    assert policy(first)["script-src"] == f"'self' 'unsafe-eval' 'nonce-{number}'"
    assert number not in second.text
    assert int(first.headers["content-length"]) == len(first.content)
    assert "<scripted>" in first.text


@pytest.mark.parametrize("path", ["/other", "/data"])
def test_what_is_not_the_page_may_load_nothing(path):
    reply = client().get(path)
    assert policy(reply)["default-src"] == "'none'"
    assert "nonce" not in reply.text


@pytest.mark.parametrize("path", ["/", "/data"])
def test_every_response_may_be_framed_by_the_hub_alone_and_is_taken_as_what_it_says(path):
    reply = client().get(path)
    assert policy(reply)["frame-ancestors"] == "'self' https://huggingface.co https://*.hf.space"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "same-origin"
    assert "x-frame-options" not in reply.headers

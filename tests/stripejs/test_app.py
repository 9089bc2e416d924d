"""The files of Stripe.js over HTTP: one script of readable size, and frames that run nothing but it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tollkey.stripejs import StripeJs
from tollkey.stripejs.files import FRAMES, LEGACY, SCRIPTS, STATIC, TRAINS, legacy, script


def ask(path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app=StripeJs())  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://tollkey.test") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(answer())


@pytest.mark.parametrize("path", sorted(SCRIPTS))
def test_every_address_of_stripe_js_has_the_script(path: str) -> None:
    answer = ask(path)
    assert (answer.status_code, answer.content) == (200, script())
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_legacy_checkout_has_an_address_of_its_own() -> None:
    answer = ask(LEGACY)
    assert (answer.status_code, answer.content, b"StripeCheckout" in answer.content) == (200, legacy(), True)


def test_the_trains_are_those_of_the_packages() -> None:
    assert TRAINS == ("acacia", "basil", "clover", "dahlia", "endive")


def test_the_script_is_small_and_readable() -> None:
    assert len(script()) <= 60_000
    parts = [path.read_text(encoding="utf-8").splitlines() for path in sorted(STATIC.rglob("*.js"))]
    assert max(len(part) for part in parts) <= 400
    assert max(len(line) for part in parts for line in part) <= 120


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_the_page_of_a_frame_runs_its_own_scripts_alone_and_may_be_framed(name: str) -> None:
    answer = ask(f"/v3/{name}.html")
    policy = answer.headers["content-security-policy"]
    assert (answer.status_code, "script-src 'self';" in policy, "frame-ancestors" in policy) == (200, True, False)
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert "style=" not in answer.text
    loaded = [line.split('"')[1] for line in answer.text.splitlines() if line.startswith("<script src=")]
    assert {ask(path).status_code for path in loaded} == {200}


def test_who_has_a_file_is_not_sent_it_again() -> None:
    tag = ask("/v3/").headers["etag"]
    assert ask("/v3/", **{"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 405), ("DELETE", 405)])
def test_a_file_is_only_read(method: str, status: int) -> None:
    answer = ask("/v3/", method)
    assert (answer.status_code, answer.content) == (status, b"")


def test_no_script_writes_html_or_evaluates_text() -> None:
    dangerous = (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "'*'",
        '"*"',
    )
    found = {path.name: word for path in STATIC.rglob("*.js") for word in dangerous if word in path.read_text()}
    assert found == {}

"""The docs inside: whose keys they carry, what they say, and that their examples are right."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.dashboard import Site
from tollkey.dashboard.reference import LANGUAGES, page_of, resources_shown
from tollkey.dashboard.reference.error_codes import ERROR_CODES
from tollkey.dashboard.reference.guides import GUIDES, KeyPair, render, source
from tollkey.dashboard.reference.search import Index, Section
from tollkey.dashboard.reference.tables import tables_for
from tollkey.keys import KeyService

BASE = "http://127.0.0.1:8420"


@pytest.mark.parametrize("slug", GUIDES)
def test_a_guide_opens_for_everybody(site: Site, slug: str) -> None:
    answer = site.browser().get(f"/docs/{slug}")
    assert answer.status == 200
    assert "{{" not in answer.text


def test_signed_in_examples_carry_one_s_own_test_keys_and_are_never_cached(site: Site) -> None:
    answer = site.browser("developer").get("/docs/quickstart")
    assert site.api.sk in answer.text
    assert site.api.pk in answer.text
    assert site.api.live_sk not in answer.text
    assert "no-store" in answer.headers["cache-control"]


def test_signed_out_examples_carry_sample_keys(site: Site) -> None:
    answer = site.browser().get("/docs/quickstart")
    assert site.api.sk not in answer.text
    assert re.search(r"sk_" + r"test_[0-9A-Za-z]{24}\b", answer.text)


def test_somebody_who_may_not_see_keys_gets_sample_keys(site: Site) -> None:
    for role in ("analyst", "support", "view_only"):
        assert site.api.sk not in site.browser(role).get("/docs/keys").text


def test_nobody_sees_another_account_s_keys(site: Site) -> None:
    other = site.api.another()
    assert site.api.sk not in site.browser("developer", account=other.account).get("/docs/keys").text


def test_reading_the_docs_is_not_revealing_a_key(site: Site) -> None:
    browser = site.browser("developer")
    before = site.core.database.read(lambda tx: tx.execute("SELECT count(*) FROM key_audit"))
    browser.get("/docs/keys")
    assert site.core.database.read(lambda tx: tx.execute("SELECT count(*) FROM key_audit")) == before


def test_every_resource_has_a_page_in_the_reference(site: Site) -> None:
    browser = site.browser("developer")
    for resource in resources_shown(site.core.catalogue):
        answer = browser.get(f"/docs/api/{resource.object}")
        assert answer.status == 200, resource.object


def test_the_reference_says_what_keys_in_web_pages_and_apps_may_send(site: Site) -> None:
    text = site.browser("developer").get("/docs/api/payment_method").text
    assert "An ephemeral key may call it with <code>customer</code>." in text
    assert "A publishable key may call it with <code>" in text
    assert "An ephemeral key may call it without parameters." in text


def _curl(text: str) -> tuple[str, str, dict[str, str], list[tuple[str, str]]]:
    """A curl command taken apart as a shell and curl would: method, path, headers, pairs."""
    words = shlex.split(text.replace("\\\n", " "))
    assert words.pop(0) == "curl"
    method, url, pairs, get, user = "", "", [], False, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-G":
            get = True
        elif word == "-u":
            user = words.pop(0)
        elif word in ("-d", "--data-urlencode"):
            name, _, value = words.pop(0).partition("=")
            pairs.append((name, value))
        else:
            url = word
    return method or ("GET" if get or not pairs else "POST"), urlsplit(url).path, {"user": user}, pairs


def test_every_curl_example_is_a_request_that_the_server_understands(site: Site) -> None:
    from urllib.parse import urlencode

    keys = KeyPair(site.api.pk, site.api.sk, True)
    wrong = []
    for resource in resources_shown(site.core.catalogue):
        for one in page_of(site.core.catalogue, resource).operations:
            method, path, about, pairs = _curl(LANGUAGES[0].write(one.request, keys.secret, BASE))
            assert about["user"] == site.api.sk + ":"
            assert (method, path) == (one.method, one.request.path)
            body = urlencode(pairs)
            answer = (
                site.api.send("GET", path, query=body)
                if method == "GET"
                else site.api.send(method, path, body=body.encode())
            )
            code = answer.get("error", {}).get("code")
            if (
                code == "account_invalid" or one.path == "/v1/files"
            ):  # the sample account is nobody's; a file is no form
                continue
            if answer.status in (401, 403, 500) or code in (
                "parameter_unknown",
                "parameter_missing",
                "parameter_invalid_integer",
            ):
                wrong.append((method, path, answer.status, answer["error"]["message"]))
    assert not wrong, "Give it an example in dashboard/reference/samples.py:\n" + "\n".join(map(str, wrong))


def test_python_examples_run_with_the_official_library(site: Site) -> None:
    stripe = pytest.importorskip("stripe")
    runnable = [
        "/v1/customers",
        "/v1/payment_intents",
        "/v1/charges",
        "/v1/balance",
        "/v1/setup_intents",
        "/v1/payment_methods",
    ]
    ran = []
    for resource in resources_shown(site.core.catalogue):
        for one in page_of(site.core.catalogue, resource).operations:
            if one.path in runnable:
                code = LANGUAGES[1].write(one.request, site.api.sk, BASE)
                code = code.replace("base_addresses", "http_client=here, base_addresses").replace(
                    "client.v1", "result = client.v1"
                )
                place: dict[str, Any] = {"here": _here(stripe, site)}
                exec(compile(code, one.path, "exec"), place)  # our own text
                assert place["result"] is not None
                ran.append(one.path)
    assert len(ran) >= 8


def _here(stripe: Any, site: Site) -> Any:
    class Here(stripe.HTTPClient):  # type: ignore[misc]
        """Requests of the library, answered in process."""

        name = "here"

        def request(
            self, method: str, url: str, headers: dict[str, str], post_data: Any = None
        ) -> tuple[str, int, dict[str, str]]:
            parts = urlsplit(url)
            body = (post_data or "").encode() if isinstance(post_data, str | None) else post_data
            answer = site.api.send(method.upper(), parts.path, key=None, headers=headers, body=body, query=parts.query)
            return answer.body.decode(), answer.status, answer.headers

        def close(self) -> None:
            pass

    return Here()


def test_what_the_libraries_call_is_there_in_the_python_library(site: Site) -> None:
    stripe = pytest.importorskip("stripe")
    client = stripe.StripeClient("sk" + "_test_" + "x" * 24)
    missing = []
    for resource in resources_shown(site.core.catalogue):
        for one in page_of(site.core.catalogue, resource).operations:
            service = client.v1
            for name in one.request.services:
                service = getattr(service, name, None)
            if one.request.services and not hasattr(service, one.request.verb):
                missing.append((one.method, one.path))
    assert not missing, "Say in dashboard/reference/naming.py how the libraries call them:\n" + "\n".join(
        map(str, missing)
    )


def test_other_languages_close_what_they_open_and_name_what_is_sent(site: Site) -> None:
    for resource in resources_shown(site.core.catalogue):
        for one in page_of(site.core.catalogue, resource).operations:
            for language in LANGUAGES[1:]:
                code = language.write(one.request, "KEY", BASE)
                bare = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', "", code)
                for opened, closed in ("()", "[]", "{}"):
                    assert bare.count(opened) == bare.count(closed), (language.id, one.path, code)
                assert "KEY" in code
                assert BASE in code or language.id == "node"


def test_every_python_example_compiles_and_every_node_example_parses(site: Site, tmp_path: Path) -> None:
    scripts = []
    for resource in resources_shown(site.core.catalogue):
        for one in page_of(site.core.catalogue, resource).operations:
            compile(LANGUAGES[1].write(one.request, "KEY", BASE), one.path, "exec")
            scripts.append("async () => {\n" + LANGUAGES[2].write(one.request, "KEY", BASE).partition("\n")[2] + "\n};")
    node = shutil.which("node") or str(Path(sys.executable).parent / "node")
    if not Path(node).exists():
        pytest.skip("no node here")
    file = tmp_path / "examples.mjs"
    file.write_text("\n".join(scripts))
    done = subprocess.run([node, "--check", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_error_code_in_the_source_is_explained() -> None:
    from tests.support.codes import codes_in_source

    unknown = sorted(codes_in_source() - ERROR_CODES.keys())
    assert not unknown, f"Explain in dashboard/reference/error_codes.py: {unknown}"


def test_the_tables_of_the_guides_come_from_the_code(site: Site) -> None:
    keys = KeyPair("PK", "SK", False)
    made = render(site.core.catalogue, tables_for(site.core.catalogue), "restricted-keys", keys, BASE)
    assert all(f"{p.name}_read" in made.html for p in site.core.catalogue.permissions() if "read" in p.levels)


@pytest.mark.parametrize("slug", ["library", "config", "limits", "leaks", "importing", "secret-managers"])
def test_python_in_the_guides_about_keys_runs(slug: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", source(slug), re.DOTALL)
    assert blocks
    for block in blocks:
        names: dict[str, Any] = {}
        exec(compile(block, f"{slug}.md", "exec"), names)  # our own text
        for made in names.values():
            if isinstance(made, KeyService):
                made.close()


def test_the_search_finds_words_beginnings_and_nothing_else() -> None:
    index = Index(
        [
            Section("/a", "Rolling a key", "Guides", "the old key expires"),
            Section("/b", "Webhooks", "Guides", "signed events"),
        ]
    )
    assert [hit.section.url for hit in index.find("roll")] == ["/a"]
    assert [hit.section.url for hit in index.find("signed event")] == ["/b"]
    assert index.find("") == []
    assert index.find("nowhere") == []


def test_a_lost_key_is_found_by_searching(site: Site) -> None:
    answer = site.browser().get("/docs/search?q=lost+key")
    assert (
        answer.text.index("/docs/lost-key") < answer.text.index("/docs/api/") if "/docs/api/" in answer.text else True
    )
    assert "/docs/lost-key" in answer.text


def test_a_query_is_shown_back_as_text_only(site: Site) -> None:
    answer = site.browser().get("/docs/search?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert b"<script>alert" not in answer.body


def test_json_in_the_guides_is_json() -> None:
    for slug in GUIDES:
        for block in re.findall(r"```example [^\n]*\n(.*?)```", source(slug), re.DOTALL):
            assert isinstance(json.loads(block), dict)
            assert parse_qsl(block, max_num_fields=1000) is not None


def test_headings_say_what_an_endpoint_does_to_what(site: Site) -> None:
    text = site.browser("developer").get("/docs/api/refund").text
    assert "Refund a charge" in text
    assert "Refund a refund" not in text
    text = site.browser("developer").get("/docs/api/invoice").text
    assert "Mark uncollectible: an invoice" in text

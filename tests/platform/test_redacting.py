"""Secrets are replaced in what the request log keeps, however they are written."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from tests.support.api import Api, rule_table
from tests.support.recipes import Maker
from tollkey.db import Scope
from tollkey.platform import request_log_buffer
from tollkey.platform._redacting import redact, redact_form
from tollkey.platform.request_logs import find, one
from tollkey.wire.policy import Logged


def logged(api: Api) -> str:
    database, scope = api.core.database, Scope(api.account, False)
    api.world.write_logs()
    entries = [
        database.read(lambda tx, id=entry.id: one(tx, scope, id)) for entry in database.read(lambda tx: find(tx, scope))
    ]
    return repr(entries)


def test_keys_client_secrets_card_numbers_and_codes_are_redacted() -> None:
    key = "sk_live_" + "a" * 30 + "WXYZ"
    text = redact_form(f"key={key}&card[number]=4242424242424242&card[cvc]=123&x=pi_1_secret_abcdefgh")
    assert text == "key=sk_live_...WXYZ&card[number]=************4242&card[cvc]=[redacted]&x=pi_1_secret_[redacted]"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('{"card":{"number":4242424242424242,"cvc":123}}', '{"card":{"number":************4242,"cvc":"[redacted]"}}'),
        ('{"number": "4242 4242 4242 4242"}', '{"number": "************4242"}'),
        ("card[number]=4242+4242+4242+4242", "card[number]=************4242"),
        (
            "card%5Bnumber%5D=4242-4242-4242-4242&card%5Bcvc%5D=1",
            "card%5Bnumber%5D=************4242&card%5Bcvc%5D=[redacted]",
        ),
        ("card[number]=%34%32424242%342424242&a=%34", "card[number]=************4242&a=%34"),
        (
            "card[number]=4242.4242.4242.4242&phone_number=%2B491701234567",
            "card[number]=************4242&phone_number=%2B491701234567",
        ),
        ("card%5b%63vc%5D=%31%32%33&x=%31", "card%5b%63vc%5D=[redacted]&x=%31"),
        ("card[number]=4242424242424242%2012%2F34", "card[number]=[redacted]"),
        ("description=4242424242424242 123", "description=[redacted]"),
        ("description=4242%204242 4242%2D4242", "description=************4242"),
        (
            '{"number": "\\u0034242424242424242", "\\u0063vc": "123"}',
            '{"number": "************4242", "cvc": "[redacted]"}',
        ),
        (
            "card[cvc][]=123&card[cvc][0]=123&cvc%5Ba%5D=123",
            "card[cvc][]=[redacted]&card[cvc][0]=[redacted]&cvc%5Ba%5D=[redacted]",
        ),
        ("card[number][]=4242 4242&number[0]=4242+4242", "card[number][]=************4242&number[0]=************4242"),
        ('{"card": {"cvc": ["123"], "exp_year": 30}}', '{"card": {"cvc": "[redacted]", "exp_year": 30}}'),
        (
            "card%255Bcvc%255D=123&a=r%25256b_live_511t5r0Srmesu6YNRK0PtRtp51MRMa8",
            "card%255Bcvc%255D=[redacted]&a=rk_live_...RMa8",
        ),
        ("card%5Bnumber%5D%3D4242%26card%5Bcvc%5D%3D123", "card[number]=4242&card[cvc]=[redacted]"),
        ("card[%20cvc%20]=123", "card[%20cvc%20]=[redacted]"),
        (
            "a=4242.4242/4242_4242&b=3782%C2%A0822463%0910005&c=4242,+4242,+4242,+4242",
            "a=************4242&b=************0005&c=************4242",
        ),
        ("a=card4242424242424242&b=card4242424242424241", "a=card************4242&b=card4242424242424241"),
        (
            "a=to+de89370400440532013000+now&b=DE88370400440532013000",
            "a=to%20de89************3000%20now&b=DE88370400440532013000",
        ),
        ("cryptogram=AgAA&descriptor_code=SM11AA", "cryptogram=[redacted]&descriptor_code=[redacted]"),
        ('{"cvc": {"a": "123"}}', '{"cvc": "[redacted]"}'),
        ("name=a%26cvc=123&cvc=&b=1", "name=a%26cvc%3D[redacted]&cvc=&b=1"),
        (
            "a=%73k%5Flive%5F" + "a" * 30 + "WXYZ&x=pi_1%5fsecret%5fabcdefgh",
            "a=sk_live_...WXYZ&x=pi_1_secret_[redacted]",
        ),
        ("card[number]=36227206271667", "card[number]=************1667"),
        ('{"account_number":"000123456789","iban":"DE\\"89"}', '{"account_number":"[redacted]","iban":"[redacted]"}'),
        ('{"cvc":[["973"]],"a":1}', '{"cvc":"[redacted]","a":1}'),
        ('{"card":{"cvc":{"a":{"b":"973"}}},"a":1}', '{"card":{"cvc":"[redacted]"},"a":1}'),
        ('{"iban":{"a":{"b":{"c":{"d":"DE89"}}}},"a":1}', '{"iban":"[redacted]"'),
        ('{"cvc":[["97', '{"cvc":"[redacted]"'),
        ('{"note":"{\\"cvc\\":\\"973\\",\\"a\\":1}"}', '{"note":"{\\"cvc\\":\\"[redacted]\\",\\"a\\":1}"}'),
        ("{'cvc': '973', 'a': 1}", "{'cvc': '[redacted]', 'a': 1}"),
        ("card={'cvc':+'973'}", "card=%7B%27cvc%27:%20%27[redacted]%27%7D"),
        ("<card><cvc>973</cvc></card>", "%3Ccard%3E%3Ccvc%3E[redacted]%3C%2Fcvc%3E%3C%2Fcard%3E"),
        ("cvc: 973", "cvc%3A%20[redacted]"),
        (
            "cvc[973]=1&payload[value]=3&payload[0]=1",
            "cvc[redacted]=[redacted]&payload[value]=[redacted]&payload[0]=[redacted]",
        ),
        ("a=Retrysk_live_" + "a" * 30 + "WXYZ&b=task_test_abcdefghij", "a=Retrysk_live_...WXYZ&b=task_test_abcdefghij"),
        ("a=1whsec_" + "a" * 30 + "WXYZ&b=task_test_rk_live_abcdWXYZ", "a=1whsec_...WXYZ&b=task_test_rk_live_...WXYZ"),
        ("a=Basic+c2tfbGl2ZV9" + "a" * 30 + "==&b=c2tfbGl2ZV9h", "a=Basic%20[redacted]&b=c2tfbGl2ZV9h"),
        ("description=see+https://example.com/?a=1", "description=see+https://example.com/?a=1"),
        ('{"created":1767225600,"amount":99999999}', '{"created":1767225600,"amount":99999999}'),
    ],
)
def test_secrets_are_redacted_however_they_are_written(sent: str, kept: str) -> None:
    assert (redact if sent.startswith("{") else redact_form)(sent) == kept


@rule_table
@pytest.mark.parametrize("place", ["path", "query", "body", "agent", "idempotency", "error", "version"])
@pytest.mark.parametrize("secret", ["4242424242424242", "4242-4242-4242-4242", "key", "base64"])
@pytest.mark.parametrize("every", [1, 2, 5])
def test_what_is_percent_encoded_is_redacted_as_it_was_meant(api: Api, place: str, secret: str, every: int) -> None:
    if secret in ("key", "base64"):
        key = api.another().sk
        secret = key if secret == "key" else b64encode(f"{key}:".encode()).decode()
    hidden = "".join(f"%{ord(letter):02x}" if number % every == 0 else letter for number, letter in enumerate(secret))
    field = f"description={hidden}&card%5Bcvc%5D=%31%32%33"
    if place == "path":
        api.send("GET", f"/v1/customers/{hidden}")
    elif place == "query":
        api.send("GET", "/v1/customers", query=f"email={hidden}")
    elif place in ("body", "error"):
        api.send("POST", "/v1/customers" if place == "body" else f"/v1/{hidden}", body=field.encode())
    elif place == "agent":
        api.send("GET", "/v1/customers", headers={"User-Agent": hidden})
    elif place == "version":
        api.send("GET", "/v1/customers", headers={"Stripe-Version": hidden})
    else:
        api.send("POST", "/v1/customers", headers={"Idempotency-Key": hidden})
    kept = logged(api)
    assert kept != "[]"
    assert secret not in unquote(kept)
    assert "%31%32%33" not in kept


#: Values that an error repeats, by the wrong way in which they are sent: path, content type, body.
REPEATED = {
    "JSON where a form belongs": ("/v1/tokens", "x-www-form-urlencoded", '{"card":{"number":"1","cvc":"9731"}}'),
    "JSON in JSON": ("/v1/tokens", "x-www-form-urlencoded", '{"card":{"cvc":{"a":{"b":"9731"}}}}'),
    "a hash where a text belongs": ("/v1/accounts", "x-www-form-urlencoded", "individual[id_number][a][b]=9731"),
    "a list where a text belongs": ("/v1/accounts", "x-www-form-urlencoded", "individual[ssn_last_4][]=9731"),
    "a value as a name": ("/v1/accounts", "x-www-form-urlencoded", "individual[id_number][9731]=1"),
    "a value as an unknown name": ("/v1/tokens", "x-www-form-urlencoded", "cvc[9731]=1"),
    "another notation": ("/v1/tokens", "x-www-form-urlencoded", "<card><cvc>9731</cvc></card>"),
    "an object of another language": ("/v1/tokens", "x-www-form-urlencoded", "{'card': {'cvc': '9731'}}"),
    "a v2 body": ("/v2/billing/meter_events", "json", '{"cvc":[["9731"]]}'),
}  # fmt: skip


@pytest.mark.parametrize("way", REPEATED)
def test_what_an_error_repeats_is_redacted_too(api: Api, way: str) -> None:
    path, kind, body = REPEATED[way]
    refused = api.send("POST", path, headers={"content-type": f"application/{kind}"}, body=body.encode())
    assert refused.status == 400
    kept = logged(api)
    assert refused.headers["request-id"] in kept
    assert "9731" not in kept


def test_a_number_at_the_end_of_a_long_header_is_not_kept_in_part(api: Api) -> None:
    for before in range(0, 20, 3):
        headers = {
            "Stripe-Version": "x" * (80 + before) + "4242424242424242",
            "User-Agent": "x" * (180 + before) + "4242424242424242",
            "Idempotency-Key": "x" * (280 + before) + "4242424242424242",
        }
        api.post("/v1/customers", headers=headers)
    assert "4242424" not in logged(api)


def test_a_number_in_groups_at_the_place_where_a_body_is_cut_is_not_kept_in_part(api: Api) -> None:
    for separator in (".", "/", "_", ":", "|", ","):
        text = "cvc=" + "1" * 3_000 + "&a=" + "x" * 8_980 + separator.join(["4242"] * 4)
        api.send("POST", "/v1/customers", body=text.encode())
    assert "4242" not in logged(api)


def test_no_more_than_a_few_thousand_characters_are_ever_looked_at(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    for name in ("redact", "redact_form", "redact_response"):
        real = getattr(request_log_buffer, name)

        def watched(text: str, real: Callable[[str], str] = real) -> str:
            lengths.append(len(text))
            return real(text)

        monkeypatch.setattr(request_log_buffer, name, watched)
    long = "4242 " * 90_000
    api.post("/v1/customers", description=long)
    api.send(
        "GET", f"/v1/customers/{long[:14_000].replace(' ', '-')}", query=f"email={long[:14_000]}".replace(" ", "+")
    )
    logged(api)
    assert lengths
    assert max(lengths) <= 12_000


def test_a_number_at_the_place_where_a_body_is_cut_is_not_kept_in_part(api: Api) -> None:
    for before in range(11_970, 12_000, 3):
        text = "key=" + api.another().sk + "&a=" + "x" * before
        body = (text[:before] + "&b=4242424242424242").encode()
        api.send("POST", "/v1/customers", body=body)
        assert "424242424242" not in logged(api)


def test_a_secret_in_a_path_or_a_header_is_not_kept(api: Api) -> None:
    other = api.another().sk
    api.get(f"/v1/customers/{other}", headers={"User-Agent": f"curl {other}"})
    api.post("/v1/customers", headers={"Idempotency-Key": other})
    api.get("/v1/customers/4242424242424242")
    kept = logged(api)
    assert other not in kept
    assert "4242424242424242" not in kept
    api.get(f"/v1/customers/{other}")
    api.world.write_uses()
    usages = api.core.database.read(lambda tx: api.core.authority.usages(tx, Scope(api.account, False)))
    assert usages
    assert other not in repr(usages)


def test_an_issued_card_s_number_is_not_kept(api: Api) -> None:
    address = {"line1": "1 Main St", "city": "Berlin", "postal_code": "10115", "country": "US", "state": "CA"}
    holder = api.ok(
        "POST", "/v1/issuing/cardholders", name="Jenny Rosen", type="individual", billing={"address": address}
    )
    card = api.ok(
        "POST", "/v1/issuing/cards", cardholder=holder["id"], currency="usd", type="virtual", expand=["number", "cvc"]
    )
    kept = logged(api)
    assert card["number"] not in kept
    assert '"number": null' in kept


def test_the_contents_of_an_upload_are_not_kept(api: Api) -> None:
    lines = ["--x", 'Content-Disposition: form-data; name="purpose"', "", "dispute_evidence", "--x",
             'Content-Disposition: form-data; name="file"; filename="a.pdf"', "", "%PDF the passport of Jenny", "--x--",
             ""]  # fmt: skip
    body = "\r\n".join(lines).encode()
    assert (
        api.send("POST", "/v1/files", headers={"content-type": "multipart/form-data; boundary=x"}, body=body).status
        == 200
    )
    kept = logged(api)
    assert "passport" not in kept
    assert f"[multipart form of {len(body)} bytes]" in kept


def test_the_address_of_a_page_that_acts_for_a_customer_is_not_kept(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")
    session = api.ok(
        "POST", "/v1/billing_portal/sessions", customer=customer["id"], return_url="https://shop.example/back"
    )
    kept = logged(api)
    assert session["url"] not in kept
    assert session["url"].rpartition("/")[0] + "/[redacted]" in kept
    assert "https://shop.example/back" in kept


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/terminal/configurations", {"wifi": {"type": "enterprise_eap_tls", "enterprise_eap_tls": {
            "ssid": "shop", "private_key_file": "FILE", "client_certificate_file": "FILE",
            "private_key_file_password": "hush-7261"}}}),
        ("/v1/payment_intents", {"amount": 100, "currency": "usd", "allowed_payment_method_types": ["card"],
        "payment_method_options": {"card": {
            "three_d_secure": {"cryptogram": "hush-7261", "transaction_id": "a", "version": "2.2.0"}}}}),
        ("/v1/tokens", {"person": {"id_number_secondary": "hush-7261"}}),
    ],
)  # fmt: skip
def test_secrets_of_these_names_are_in_no_log(api: Api, path: str, params: dict[str, object]) -> None:
    given = json.loads(json.dumps(params).replace("FILE", Maker(api).make("file")["id"]))
    request_id = api.post(path, **given).headers["request-id"]
    api.world.write_logs()
    rows = api.core.logs.read(lambda tx: tx.execute("SELECT * FROM request_logs WHERE id = ?", (request_id,)))
    assert len(rows) == 1
    assert "hush-7261" not in repr(rows)


def test_the_numbers_of_a_person_of_v2_are_in_no_log() -> None:
    sent = '{"given_name": "Eve", "id_numbers": [{"type": "us_ssn", "value": "874521903"}]}'
    assert redact(sent) == '{"given_name": "Eve", "id_numbers": "[redacted]"}'


def test_a_long_request_is_redacted_when_it_is_written_and_kept_as_any_other(api: Api) -> None:
    form = "description=" + "a" * 3_000 + "&card[number]=4242424242424242&card[cvc]=917"
    answer = api.send("POST", "/v1/customers", body=form.encode())
    waits = api.world.server.log._waiting[-1]
    assert isinstance(waits, Logged)
    api.world.runner.run(api.world.server._write_buffers())
    rows = api.core.database.read(
        lambda tx: tx.execute("SELECT request_body, status FROM request_logs ORDER BY seq DESC LIMIT 1")
    )
    kept, status = rows[0]
    assert (status, "a" * 3_000 in kept) == (answer.status, True)
    assert "4242424242424242" not in kept
    assert "917" not in kept

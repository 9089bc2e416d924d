"""Forms of the other kind, ``multipart/form-data``: the same parameters, the same bounds, at every endpoint; and bodies
of a GET.
"""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.api import Answer, Api
from tollkey.wire.params import FormError, Upload, decode_multipart

KIND = "multipart/form-data; boundary=x"


def part(name: str, value: str | bytes, more: str = "") -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def ask(
    api: Api, body: bytes, *, path: str = "/v1/customers", method: str = "POST", kind: str = KIND, **headers: str
) -> Answer:
    return api.send(method, path, headers={"Content-Type": kind, **headers}, body=body)


@pytest.mark.parametrize(
    "kind", [KIND, "Multipart/Form-Data; boundary=x", 'multipart/form-data; charset=utf-8; boundary="x"']
)
def test_fields_mean_what_they_mean_in_other_forms(api: Api, kind: str) -> None:
    fields = (
        part("name", "Ann + Bea %41 Ünal")
        + part("metadata[a]", "1")
        + part("preferred_locales[]", "de")
        + part("expand[]", "sources")
    )
    made = ask(api, fields + b"--x--\r\n", kind=kind)
    assert (made["name"], made["metadata"], made["preferred_locales"]) == ("Ann + Bea %41 Ünal", {"a": "1"}, ["de"])
    assert made["sources"]["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        part("name", b"\xff") + b"--x--\r\n",
        part("name", "a\0b") + b"--x--\r\n",
        part("name", "a", '; filename="a.txt"') + b"--x--\r\n",
        part("name", "a"),
        part("metadata", "a") + part("metadata[b]", "a") + b"--x--\r\n",
        part("metadata" + "[a]" * 20, "a") + b"--x--\r\n",
        b"".join(part(f"metadata[{n}]", "") for n in range(1_001)) + b"--x--\r\n",
        b"name=a",
        b"--x\r\n\r\na\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\na\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name=name; filename*=wrong\'\'%ff\r\n\r\na\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name=name\r\nContent-Transfer-Encoding: base64\r\n\r\na\r\n--x--\r\n',
        b'--x\r\nContent-Type: text/plain; charset=wrong\r\n\r\na\r\n--x--\r\n',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_nothing_made(api: Api, body: bytes) -> None:
    answer = ask(api, body)
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert api.get("/v1/customers")["data"] == []


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 100]
)
def test_a_form_without_a_boundary_is_refused(api: Api, kind: str) -> None:
    assert ask(api, part("name", "a") + b"--x--\r\n", kind=kind).status == 400


def test_a_long_form_is_bounded_like_any_other(api: Api) -> None:
    assert ask(api, part("description", "a" * 600_000) + b"--x--\r\n").status == 413
    assert ask(api, part("description", "a" * 300_000) + b"--x--\r\n").error["param"] == "description"


def test_the_boundary_is_no_parameter_to_an_idempotency_key(api: Api) -> None:
    once = {"Idempotency-Key": "once"}
    first, other = part("name", "a") + b"--x--\r\n", part("name", "b") + b"--x--\r\n"
    made = ask(api, first, **once)
    again = ask(api, first.replace(b"--x", b"--y"), kind=KIND.replace("=x", "=y"), **once)
    assert (again["id"], again.headers["idempotent-replayed"]) == (made["id"], "true")
    assert ask(api, other, **once).error["type"] == "idempotency_error"


@pytest.mark.parametrize(
    "kind", [KIND, "MULTIPART/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded"]
)
def test_no_log_keeps_a_security_code_of_a_multipart_form(api: Api, kind: str) -> None:
    ask(api, part("card[cvc]", "731") + part("card[number]", "4242 4242") + b"--x--\r\n", path="/v1/tokens", kind=kind)
    api.world.write_logs()
    kept = api.core.database.read(
        lambda tx: tx.execute("SELECT request_body FROM request_logs WHERE account = ?", (api.account,))
    )
    assert [row for row in kept if "731" in row[0] or "4242" in row[0]] == []


def test_a_publishable_key_may_send_one_too(api: Api) -> None:
    card = [("number", "4242424242424242"), ("exp_month", "12"), ("exp_year", "2030"), ("cvc", "123")]
    body = part("type", "card") + b"".join(part(f"card[{name}]", value) for name, value in card)
    made = api.send("POST", "/v1/payment_methods", key=api.pk, headers={"Content-Type": KIND}, body=body + b"--x--\r\n")
    assert made.status == 200
    refused = api.send(
        "POST",
        "/v1/payment_methods",
        key=api.pk,
        headers={"Content-Type": KIND},
        body=body + part("customer", "cus_1") + b"--x--\r\n",
    )
    assert refused.error["param"] == "customer"


# -- the body of a GET: parameters like any others (stripe-node#230)


@pytest.mark.parametrize(
    ("body", "kind"), [(b"limit=1", "application/x-www-form-urlencoded"), (part("limit", "1") + b"--x--\r\n", KIND)]
)
def test_parameters_of_a_get_may_stand_in_its_body(api: Api, body: bytes, kind: str) -> None:
    for _ in range(2):
        api.ok("POST", "/v1/customers")
    assert len(ask(api, body, method="GET", kind=kind)["data"]) == 1


def test_the_body_of_a_get_is_never_passed_over(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/customers/{customer}"
    assert ask(api, b"wat=1", method="GET", path=path, kind="application/x-www-form-urlencoded").error["param"] == "wat"
    assert ask(api, b"{}", method="GET", path=path, kind="application/json").status == 400
    assert (
        ask(api, b"a=" + b"b" * 70_000, method="GET", path=path, kind="application/x-www-form-urlencoded").status == 413
    )


# -- the parser


@given(
    fields=st.dictionaries(
        st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable() and not set(name) & set('\\[]"%')),
        st.text(max_size=40),
    ),
    content=st.binary(max_size=200),
    filename=st.text(min_size=1, max_size=20).filter(lambda name: not set(name) & set("\\%") and name.isprintable()),
)
def test_what_another_library_writes_is_read_as_it_was_meant(
    fields: dict[str, str], content: bytes, filename: str
) -> None:
    assume("file" not in fields and not any("\0" in value for value in fields.values()))
    sent = httpx.Request("POST", "https://shop.example", data=fields, files={"file": (filename, content)})
    found = decode_multipart(sent.read(), sent.headers["content-type"], most=100_000, file="file")
    assert found == {**fields, "file": Upload(filename, content)}


@given(
    body=st.binary(max_size=200)
    | st.lists(st.sampled_from([b"--x", b"--", b"\r\n", b'Content-Disposition: form-data; name="a"', b"b"])).map(
        b"".join
    )
)
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    with suppress(FormError):
        decode_multipart(body, KIND, most=1000)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('content-disposition: FORM-DATA; NAME="a"', "a"),
        ('content-disposition: form-data; Name="a%22b"', 'a"b'),
        ('X: y\r\nContent-Disposition: form-data;name=a', "a"),
        ('Content-Disposition: form-data; name="a\\"b"', 'a"b'),
        ('Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=utf-8', "a"),
        ('Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=latin-1', None),
        ('Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain;\r\n charset=latin-1', None),
        ('Content-Disposition: form-data; name="charset="', "charset="),
        ('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: quoted-printable', None),
        ('Content-Disposition: attachment; name="a"', None),
        ('Content-Disposition: form-data; x="; name=b"', None),
    ],
)  # fmt: skip
def test_a_part_is_named_in_the_ways_that_clients_write(head: str, name: str | None) -> None:
    body = f"--x\r\n{head}\r\n\r\n1\r\n--x--\r\n".encode()
    if name is None:
        with pytest.raises(FormError):
            decode_multipart(body, KIND, most=1000)
    else:
        assert decode_multipart(body, KIND, most=1000) == {name: "1"}


# -- what else would go by unseen


@pytest.mark.parametrize("body", [b"=a", b"name=b&=a", b"%=a", b"=%41"])
def test_a_value_without_a_name_is_refused(api: Api, body: bytes) -> None:
    assert api.send("POST", "/v1/customers", body=body).status == 400
    assert api.get("/v1/customers")["data"] == []


def test_a_compressed_body_is_refused_as_one(api: Api) -> None:
    answer = api.send("POST", "/v1/customers", body=b"name=a", headers={"Content-Encoding": "gzip"})
    assert (answer.status, "Content-Encoding gzip" in answer.error["message"]) == (415, True)
    assert api.send("POST", "/v1/customers", body=b"name=a", headers={"Content-Encoding": "identity"}).status == 200

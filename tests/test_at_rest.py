"""Numbers of cards, bank accounts and people do not lie in the database: every endpoint that takes one is called, and
the files are read.

Which parameters these are follows from their names in the catalogue, so a new one is looked for by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.payments.invoices.recipes import open_invoice
from tests.support.api import Api, open_world
from tests.support.parameters import parameters_of
from tests.support.recipes import Maker, name_of
from tollkey.db import Scope
from tollkey.wire import Endpoint, Resource
from tollkey.wire.hosted import hosted_url
from tollkey.wire.params import Anything, Param
from tollkey.wire.spec.dates import DATES

Json = dict[str, Any]
Keys = tuple[str, ...]
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "973"}
_TYPED = {"number": "4242424242424242", "expiry": "12 / 34"}
BANK = {"account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual"}
#: What is sent in an object of that name; every value that is to be looked for is among ``LOOKED_FOR``.
SENT: dict[str, Json] = {
    "card": CARD,
    "card_present": {"number": "4242424242424242"},
    "interac_present": {"number": "4242424242424242"},
    "us_bank_account": BANK,
    "bank_account": {**BANK, "country": "US", "currency": "usd", "object": "bank_account"},
    "sepa_debit": {"iban": "DE89370400440532013000"},
    "ach_debit": {"account_number": "0009182736456", "routing_number": "110000000", "type": "individual"},
    "acss_debit": {"account_number": "0009182736451", "institution_number": "000", "transit_number": "11000"},
    "au_becs_debit": {"account_number": "0009182736452", "bsb_number": "000000"},
    "bacs_debit": {"account_number": "0009182736453", "sort_code": "108800"},
    "nz_bank_account": {
        "account_number": "0009182736454", "bank_code": "11", "branch_code": "0000", "suffix": "010",
        "account_holder_name": "Jo"},
    "payto": {"account_number": "0009182736455", "bsb_number": "000000"},
    "individual": {"id_number": "874521903", "id_number_secondary": "874521904", "ssn_last_4": "7431"},
    "company": {"tax_id": "918273645", "vat_id": "DE918273646", "registration_number": "HRB918273647"},
    "person": {"id_number": "874521903", "id_number_secondary": "874521904", "ssn_last_4": "7431", "first_name": "Jo"},
    "pii": {"id_number": "874521903"},
    "legal_entity": {"personal_id_number": "874521903", "ssn_last_4": "7431", "business_tax_id": "918273645",
        "business_vat_id": "DE918273646"},
    "additional_owners": {"personal_id_number": "874521904", "ssn_last_4": "7431", "first_name": "Jo"},
    "cvc_update": {"cvc": "973"},
    "pin": {"encrypted_number": "cGluOTE4MjczNjQ4"},
}  # fmt: skip
#: What is sent as a parameter of its own. Pages take cards and bank accounts as people type them.
ALONE: Json = {
    "number": "4242 4242 4242 4242", "cvc": "973", "account_number": "000123456789", "iban": "DE89370400440532013000",
    "id_number": "874521903", "id_number_secondary": "874521904", "ssn_last_4": "7431", "payload": "hush-918273649",
}  # fmt: skip
NAMES = frozenset({
    "number", "cvc", "account_number", "iban", "id_number", "id_number_secondary", "ssn_last_4", "tax_id", "vat_id",
    "registration_number", "encrypted_number", "payload", "personal_id_number", "business_tax_id", "business_vat_id",
})  # fmt: skip
#: Parameters of these names that hold nothing to hide, and why.
SHOWN = {
    "POST /v1/invoices number": "an invoice's own number",
    "POST /v1/invoices/{} number": "an invoice's own number",
    "POST /v1/billing/meter_events payload": "what is counted",
    "POST /v2/billing/meter_events payload": "what is counted",
    "POST /v2/billing/meter_event_stream events.[].payload": "what is counted",
    "POST /pay/{} tax_id": "a customer's tax id, which invoices show",
    "POST /pay/{}/address tax_id": "a customer's tax id, which invoices show",
    "POST /v1/payment_pages/{} tax_id": "a customer's tax id, which invoices show",
    "POST /portal/{}/details tax_id": "a customer's tax id, which invoices show",
    "POST /v1/customers business_vat_id": "a customer's tax id, which invoices show",
    "POST /v1/customers/{} business_vat_id": "a customer's tax id, which invoices show",
    "POST /v1/customers tax_info.tax_id": "a customer's tax id, which invoices show",
    "POST /v1/customers/{} tax_info.tax_id": "a customer's tax id, which invoices show",
}
#: A payer's tax id is a field of the answer in the real system.
SHOWN_ENDS = ("billing_details.tax_id", "boleto.tax_id")
LONG = sorted({
    form for sent in (*SENT.values(), ALONE) for name, value in sent.items() if name in NAMES and len(str(value)) > 4
    for form in (str(value), str(value).replace(" ", ""))
})  # fmt: skip
#: Short ones are looked for as values of JSON; the last digits of a card or account may be the same by chance.
SHORT = re.compile(rb'(?<!last4":)(?<!last4": )("7431"|"973")')


#: Parameters that take what they are given unread, by the name of what may be in them.
UNREAD = {"card": "card", "source": "card", "external_account": "bank_account", "bank_account": "bank_account"}
DEBITS = ("ach_debit", "acss_debit", "au_becs_debit", "sepa_debit")
UNREAD.update(zip(DEBITS, DEBITS, strict=True))
CURRENCIES = {
    "acss_debit": "cad", "au_becs_debit": "aud", "bacs_debit": "gbp", "nz_bank_account": "nzd", "payto": "aud",
    "sepa_debit": "eur",
}  # fmt: skip
ACCEPTED = {
    "mandate_data": {"customer_acceptance": {"type": "online", "online": {"ip_address": "1.2.3.4", "user_agent": "x"}}}
}
PAYER = {"name": "Jo Doe", "email": "jo@example.com"}
#: What is refused in any case; nothing of it may be kept either.
REFUSED = (
    "POST /v1/payment_intents/{} source",
    "POST /v1/payment_intents/{}/confirm source",
    "POST /v1/payment_methods/{} payto.account_number",
)


class Desk:
    """Sends every parameter that is to be looked for, each with an object of its own where it needs one."""

    def __init__(self, api: Api) -> None:
        self.api, self.maker = api, Maker(api)
        self.refused: list[str] = []
        self.taken: list[str] = []

    def send_all(self) -> None:
        for resource in self.api.core.catalogue.resources:
            for endpoint in resource.endpoints:
                if endpoint.method == "POST" and not endpoint.public and endpoint.host is None:
                    declared = {path for path, _ in parameters_of(endpoint)}
                    for path, node in parameters_of(endpoint):
                        if self._wanted(endpoint, path, node):
                            self._send(resource, endpoint, path, declared)

    @staticmethod
    def _wanted(endpoint: Endpoint, path: Keys, node: Param) -> bool:
        told = f"{name_of(endpoint)} {'.'.join(path)}"
        if isinstance(node, Anything):
            return path[-1] in UNREAD
        return path[-1] in NAMES and told not in SHOWN and not told.endswith(SHOWN_ENDS)

    def _send(self, resource: Resource, endpoint: Endpoint, path: Keys, declared: set[Keys]) -> None:
        name = name_of(endpoint)
        place, params = self._plan(resource, endpoint, path)
        params = {**params, **self._params(path, declared)}
        answer = self._in_its_version(endpoint, path).post(place, **params)
        told = f"{name} {'.'.join(path)}: {answer.status} {answer.get('error', {}).get('message')}"
        (self.taken if answer.status == 200 else self.refused).append(told)

    def _in_its_version(self, endpoint: Endpoint, path: Keys) -> Api:
        """The newest version that takes the parameter."""
        gone = [one.date for one in endpoint.removed if one.param == path[0]]
        return self.api.under(max(day for day in DATES if day < min(gone))) if gone else self.api

    def _plan(self, resource: Resource, endpoint: Endpoint, path: Keys) -> tuple[str, Json]:
        name, kind = name_of(endpoint), path[1] if path[0] == "payment_method_data" else path[0]
        if name == "POST /v1/tokens":
            return endpoint.path, {}
        if name == "POST /v1/sources" and kind in DEBITS:
            return endpoint.path, {"type": kind, "currency": CURRENCIES.get(kind, "usd"), "owner": {"name": "Jo Doe"}}
        intents = endpoint.path.split("/")[2]
        if intents not in ("payment_intents", "setup_intents"):
            return self._apart(name, kind, *self.maker.plan(endpoint, resource))
        money = {"amount": 2000, "currency": CURRENCIES.get(kind, "usd")} if intents == "payment_intents" else {}
        body = {**money, "allowed_payment_method_types": [kind] if kind in SENT else ["card"]}
        if "{" not in endpoint.path:
            return endpoint.path, body
        made = self.maker.post(f"/v1/{intents}", **body)["id"]
        return endpoint.path.replace("{intent}", made), dict(ACCEPTED) if endpoint.path.endswith("confirm") else {}

    @staticmethod
    def _apart(name: str, kind: str, place: str, body: Json) -> tuple[str, Json]:
        """The plan without what may not stand beside a payment method of that kind."""
        if name in ("POST /v1/payment_methods", "POST /v1/sources") and kind in SENT:
            return place, {"type": kind, **({} if kind == "card" else {"billing_details": PAYER})}
        if name.startswith("POST /v1/accounts") and kind in ("individual", "company"):
            body = {**body, "business_type": kind}
        alone = ("source", "external_account") if kind in ("card", "bank_account") else ()
        return place, {key: value for key, value in body.items() if key not in alone}

    @staticmethod
    def _params(path: Keys, declared: set[Keys]) -> Json:
        """What is sent so that the parameter with this path is among it, with what has to stand beside it."""
        parent = path[:-1]
        if path[-1] in UNREAD and path[-1] not in NAMES:
            sent: Any = SENT[UNREAD[path[-1]]] if path[-1] != "source" else {"object": "card", **CARD}
            parent = path
        elif not parent:
            return {path[0]: ALONE[path[0]]}
        else:
            above = [name for name in parent if name != "[]"][-1]
            sent = {name: value for name, value in SENT[above].items() if (*parent, name) in declared}
        for name in reversed(parent):
            sent = [sent] if name == "[]" else {name: sent}
        if path[0] == "payment_method_data":
            sent[path[0]].update(type=path[1], billing_details=PAYER)
        return dict(sent)

    def pay_on_pages(self) -> None:
        """What people type on the pages of invoices and of Checkout."""
        self._visit("i", open_invoice(self.maker)["id"], "/pay", {**_TYPED, "cvc": CARD["cvc"]})
        person = {"email": "jo@example.com", "name": "Jo Doe", "country": "US", "postal_code": "94111"}
        typed = {
            "card": {"number": CARD["number"], "expiry": "12 / 34", "cvc": CARD["cvc"]},
            "us_bank_account": {name: BANK[name] for name in ("account_number", "routing_number")},
            "sepa_debit": SENT["sepa_debit"],
        }
        for kind, numbers in typed.items():
            price = {"currency": CURRENCIES.get(kind, "usd"), "unit_amount": 2000, "product_data": {"name": "Hat"}}
            session = self.maker.post(
                "/v1/checkout/sessions", mode="payment", success_url="https://example.com/",
                allowed_payment_method_types=[kind],
                line_items=[{"price_data": price, "quantity": 1}],
            )["id"]  # fmt: skip
            self._visit("pay", session, "/address", {**person, **numbers, "method": kind})
            self._visit("pay", session, "", {**person, **numbers, "method": kind})

    def _visit(self, kind: str, id: str, below: str, typed: Json) -> None:
        url = self.api.core.database.write(
            lambda tx: hosted_url(self.api.core.call(tx, Scope(self.api.account, False)), kind, id)
        )
        answer = self.api.post(url.removeprefix(self.api.core.setup.base_url) + below, key=None, **typed)
        (self.taken if answer.status in (200, 303) else self.refused).append(
            f"/{kind}{below} {answer.status} {answer.body[:200]!r}"
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Path]]:
    """Everything sent, to a server with a database of its own; and the folder that it lies in."""
    folder = tmp_path_factory.mktemp("at-rest")
    for world in open_world("", folder):
        made = Desk(Api(world))
        made.send_all()
        made.pay_on_pages()
        world.write_logs()
        yield made, folder


def test_an_issued_card_s_number_and_code_are_sealed(desk: tuple[Desk, Path]) -> None:
    made, folder = desk
    card = made.maker.make("issuing.card")
    shown = made.api.get(f"/v1/issuing/cards/{card['id']}", expand=["number", "cvc"])
    assert (len(shown["number"]), len(shown["cvc"])) == (16, 3)
    held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert shown["number"].encode() not in held
    table = made.api.core.setup.tables.of["issuing.card"].table
    rows = made.api.core.database.read(
        lambda tx: tx.execute(f"SELECT private FROM {table} WHERE id = ?", (card["id"],))
    )
    assert f'"{shown["cvc"]}"'.encode() not in bytes(rows[0][0])


def test_what_is_sealed_is_in_no_stored_answer_when_it_was_expanded(desk: tuple[Desk, Path]) -> None:
    made, _ = desk
    shown: dict[str, list[str]] = {}
    for resource in made.api.core.catalogue.resources:
        for endpoint in resource.endpoints if resource.sealed and resource.expands else ():
            if endpoint.method != "POST":
                continue
            place, params = made.maker.plan(endpoint, resource)
            headers = {"idempotency-key": f"sealed {name_of(endpoint)}"}
            answer = made.api.post(place, headers=headers, **params, expand=list(resource.expands))
            shown.setdefault(resource.object, []).extend(
                str(answer[name]) for name in resource.expands if name in answer
            )
            if answer.status == 200:
                again = made.api.post(place, headers=headers, **params, expand=list(resource.expands))
                assert not [name for name in resource.expands if again.get(name) is not None]
    card = made.maker.make("issuing.card")
    authorization = made.api.post(
        "/v1/test_helpers/issuing/authorizations",
        headers={"idempotency-key": "within another object"},
        card=card["id"],
        amount=100,
        expand=["card.number"],
    )
    shown["issuing.card"].append(authorization["card"]["number"])
    assert {object: bool(texts) for object, texts in shown.items()} == {"apps.secret": True, "issuing.card": True}
    rows = made.api.core.database.read(
        lambda tx: tx.execute("SELECT body FROM idempotency WHERE key LIKE 'sealed %' OR key LIKE 'within %'")
    )
    assert len(rows) > 3
    assert [
        text for texts in shown.values() for text in texts for row in rows if f'"{text}"'.encode() in bytes(row[0])
    ] == []


def test_every_parameter_was_taken(desk: tuple[Desk, Path]) -> None:
    made, _ = desk
    assert len(made.taken) > 100
    assert [told for told in made.refused if not told.startswith(REFUSED)] == []


def test_no_file_of_the_data_folder_holds_a_number_that_was_sent(desk: tuple[Desk, Path]) -> None:
    found = []
    for file in sorted(desk[1].rglob("*")):
        held = file.read_bytes() if file.is_file() else b""
        found += [(file.name, text) for text in LONG if text.encode() in held]
        found += [(file.name, text.decode()) for text in SHORT.findall(held)]
    assert found == []

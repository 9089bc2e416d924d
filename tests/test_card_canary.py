"""A whole run with the card vault, in processes of their own: the number of a card is in the vault, sealed, and nowhere
else, in no spelling.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.canary import found_in, searched
from tests.support.card_shop import Shop, card_shop, host_in_a_thread
from tests.support.vault import CANARY
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealing import unseal
from tollkey.payments.processors.vault.store import _context

CODE = "7391"[:3]
CARD = {"number": CANARY, "exp_month": 12, "exp_year": 2034, "cvc": CODE}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop after a day's work: every way to send a card, right and wrong, and the end of its process."""
    with host_in_a_thread() as host, card_shop(tmp_path_factory.mktemp("canary"), host) as made:
        work(made)
        made.pages.append(httpx.get(f"http://127.0.0.1:{made.metrics}/metrics").content)
        made.pages += [Path(f"/proc/{made.server.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]  # type: ignore[union-attr]
        made.run("backup", str(made.folder / "backup"), "--with-keyring")
        time.sleep(1.5)  # request logs are written twice a second
        yield made


def work(made: Shop) -> None:
    """Send a card in every way."""
    spaced = "4532 0100 0000 0016"
    method = made.post("/v1/payment_methods", type="card", card=CARD, headers={"Idempotency-Key": "once"})
    assert method.get("id"), method
    assert made.pay(payment_method=method["id"])["status"] == "succeeded"
    customer = made.post("/v1/customers", source={"object": "card", **CARD, "number": spaced})
    assert made.pay(payment_method=customer["default_source"], customer=customer["id"])["status"] == "succeeded"
    token = made.post("/v1/tokens", key="pk", card=CARD)
    made.post("/v1/payment_methods", type="card", card={"token": token["id"]})
    held = made.pay(payment_method_data={"type": "card", "card": CARD}, capture_method="manual")
    made.post(f"/v1/payment_intents/{held['id']}/capture")
    made.post("/v1/refunds", payment_intent=held["id"])
    made.host.answers["000000000777"] = "51"
    made.pay(amount=777, payment_method_data={"type": "card", "card": CARD})
    # what is refused, and what is written where it does not belong
    made.post("/v1/payment_methods", type="card", card={**CARD, "exp_year": 2020})
    made.post("/v1/payment_methods", type="card", card={**CARD, "wrong": "1"})
    made.post("/v1/payment_methods", type="card", card={**CARD, "token": CANARY})
    made.post("/v1/payment_methods", type="card", card={"token": f"{CANARY}=3412"})
    made.post("/v1/payment_methods", key="pk", type="card", card=CARD, customer="cus_1")
    made.send("POST", "/v1/payment_methods", content=json.dumps({"type": "card", "card": CARD}))
    made.send("POST", f"/v1/payment_methods?card[number]={CANARY}&card[cvc]={CODE}", data={"type": "card"})
    encoded = "".join(f"%{ord(digit):02X}" for digit in CANARY)
    body = f"type=card&card[number]={encoded}&card[exp_month]=12&card[exp_year]=2034&card[cvc]={CODE}"
    made.send("POST", "/v1/tokens", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    made.send("GET", f"/v1/payment_methods/{CANARY}")
    made.pages.pop()  # the error names the id that its own sender wrote; the log does not
    made.send("GET", "/v1/events?limit=100")


def test_the_host_got_the_number_and_the_code(shop: Shop) -> None:
    sent = [one for one in shop.host.seen if one["t"] in ("0100", "0200")]
    assert {one["2"] for one in sent} == {CANARY}
    assert sent[0]["63"] == CODE
    assert [one["2"] for one in shop.host.seen if one["t"] == "0220"] == [CANARY] * 2


def test_the_vault_has_the_number_sealed(shop: Shop) -> None:
    import sqlite3

    keyring = Keyring.load(shop.apart / "keyring.json")
    with sqlite3.connect(shop.apart / "vault.db") as opened:
        rows = opened.execute("SELECT account, livemode, reference, sealed FROM card_numbers").fetchall()
    assert {unseal(sealed, _context(*bound), keyring) for *bound, sealed in rows} == {CANARY}


def test_the_number_is_in_no_file_also_not_in_the_vault_s(shop: Shop) -> None:
    assert searched([shop.folder], CANARY, CODE) == {}


def test_no_answer_page_metric_or_command_shows_it(shop: Shop) -> None:
    shown = [page for page in shop.pages if found_in(page, CANARY, CODE)]
    assert shown == []


def test_a_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("card%5Bnumber%5D=4532+0100+0000+0016&cvc=739")
    assert len(searched([tmp_path], CANARY, CODE)[str(tmp_path / "file")]) == 2

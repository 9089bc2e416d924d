"""Customers: what they save, how they are found, and what is left of a deleted one."""

from __future__ import annotations

from tests.support.api import Api


def test_a_customer_made_with_a_card_has_it_as_default_source(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa", email="a@example.com")
    assert customer["default_source"].startswith("card_")
    assert [event["type"] for event in api.events()] == ["customer.created", "customer.source.created"]
    paid = api.ok("post", "/v1/charges", amount=500, currency="usd", customer=customer["id"])
    assert (paid["payment_method"], paid["source"]["customer"]) == (customer["default_source"], customer["id"])
    old = api.get(f"/v1/customers/{customer['id']}", headers={"Stripe-Version": "2019-08-14"})
    assert (old["sources"]["total_count"], old["account_balance"], old["subscriptions"]["data"]) == (1, 0, [])


def test_a_card_whose_bank_refuses_makes_no_customer(api: Api) -> None:
    refused = api.post("/v1/customers", source="tok_chargeDeclined")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (402, "card_declined", "")
    assert api.get("/v1/customers")["data"] == []


def test_the_card_that_fails_later_is_saved_and_then_declined(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_chargeCustomerFail")
    refused = api.post("/v1/charges", amount=500, currency="usd", customer=customer["id"])
    assert (refused.status, refused.error["decline_code"]) == (402, "generic_decline")


def test_a_token_can_be_used_once(api: Api) -> None:
    token = api.ok(
        "post", "/v1/tokens", card={"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    )
    api.ok("post", "/v1/customers", source=token["id"])
    again = api.post("/v1/customers", source=token["id"])
    assert (again.status, again.error["code"]) == (400, "token_already_used")
    assert again.error["message"] == f"You cannot use a Stripe token more than once: {token['id']}."


def test_metadata_is_merged_and_unset_by_an_empty_text(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", metadata={"a": "1", "b": "2"})
    path = f"/v1/customers/{customer['id']}"
    assert api.ok("post", path, metadata={"a": "", "c": "3"})["metadata"] == {"b": "2", "c": "3"}
    assert api.ok("post", path, metadata="")["metadata"] == {}


def test_a_deleted_customer_is_still_told_of_but_not_listed(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", email="gone@example.com", payment_method="pm_card_visa")
    path = f"/v1/customers/{customer['id']}"
    assert api.delete(path) == {"id": customer["id"], "object": "customer", "deleted": True}
    assert api.get(path)["deleted"] is True
    assert api.get("/v1/customers", email="gone@example.com")["data"] == []
    assert api.post(path, name="x").status == 404
    assert api.get("/v1/payment_methods", type="card")["data"][0]["customer"] is None


def test_the_default_payment_method_must_be_attached(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")
    method = api.ok("get", "/v1/payment_methods/pm_card_visa")
    wanted = {"default_payment_method": method["id"]}
    refused = api.post(f"/v1/customers/{customer['id']}", invoice_settings=wanted)
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
    api.ok("post", f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
    assert api.ok("post", f"/v1/customers/{customer['id']}", invoice_settings=wanted)["invoice_settings"] == {
        "custom_fields": None,
        "default_payment_method": method["id"],
        "footer": None,
        "rendering_options": None,
    }


def test_a_detached_payment_method_cannot_be_attached_again(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")
    method = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])
    other = api.ok("post", "/v1/customers")
    refused = api.post(f"/v1/payment_methods/{method['id']}/attach", customer=other["id"])
    assert refused.error["message"] == "The payment method you provided has already been attached to a customer."
    api.ok("post", f"/v1/payment_methods/{method['id']}/detach")
    again = api.post(f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
    assert again.error["message"].startswith("The provided PaymentMethod was previously used")


def test_an_unknown_payment_method_says_where_it_may_be(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")
    missing = api.post("/v1/payment_methods/abcd/attach", customer=customer["id"])
    assert (missing.status, missing.error["param"]) == (404, "payment_method")
    assert missing.error["message"].startswith(
        "No such PaymentMethod: 'abcd'; It's possible this PaymentMethod exists on one of your"
    )


def test_search_understands_clauses_joins_negation_and_pages(api: Api) -> None:
    for number, name in enumerate(("Jane Doe", "Janet Roe", "Bob")):
        api.ok(
            "post",
            "/v1/customers",
            name=name,
            email=f"user{number}@example.com",
            metadata={"plan": "gold" if number else "free"},
        )

    def names(query: str, **more: object) -> list[str]:
        return [found["name"] for found in api.ok("get", "/v1/customers/search", query=query, **more)["data"]]

    assert names("name~'jan'") == ["Janet Roe", "Jane Doe"]
    assert names("email:'USER2@example.com'") == ["Bob"]
    assert names("metadata['plan']:'gold' AND -name:'Bob'") == ["Janet Roe"]
    assert names("name:'Bob' OR name:'Jane Doe'") == ["Bob", "Jane Doe"]
    assert names("phone:null AND created>0") == ["Bob", "Janet Roe", "Jane Doe"]
    page = api.ok("get", "/v1/customers/search", query="created>0", limit=2, expand=["total_count"])
    assert (page["object"], page["has_more"], page["total_count"], len(page["data"])) == ("search_result", True, 3, 2)
    assert names("created>0", limit=2, page=page["next_page"]) == ["Jane Doe"]


def test_a_query_that_cannot_be_read_is_refused(api: Api) -> None:
    for query in (
        "name",
        "name:'a' AND",
        "shoe:'big'",
        "name:'a' AND name:'b' OR name:'c'",
        "name~'a'",
        "metadata:'x'",
    ):
        refused = api.get("/v1/customers/search", query=query)
        assert (refused.status, refused.error["param"]) == (400, "query"), query


def test_a_bank_account_is_verified_by_its_deposits(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="btok_us")
    path = f"/v1/customers/{customer['id']}/sources/{customer['default_source']}"
    wrong = api.post(path + "/verify", amounts=[1, 2])
    assert (wrong.status, wrong.error["code"]) == (400, "bank_account_verification_failed")
    assert api.ok("post", path + "/verify", amounts=[32, 45])["status"] == "verified"


def test_a_redirect_source_becomes_chargeable_on_its_page_and_is_consumed_by_a_charge(api: Api) -> None:
    source = api.ok(
        "post",
        "/v1/sources",
        type="ideal",
        amount=1099,
        currency="eur",
        redirect={"return_url": "https://example.com/back"},
    )
    early = api.post("/v1/charges", amount=1099, currency="eur", source=source["id"])
    assert early.status == 400
    path = "/" + source["redirect"]["url"].split("/", 3)[3]
    assert api.get(path, key=None).status == 200
    sent = api.post(path + "/authorize", key=None)
    assert (sent.status, sent.headers["location"].startswith("https://example.com/back?source=src_")) == (303, True)
    assert api.ok("post", "/v1/charges", amount=1099, currency="eur", source=source["id"])["status"] == "succeeded"
    assert api.get(f"/v1/sources/{source['id']}")["status"] == "consumed"


def test_live_charges_are_refused_without_a_provider(api: Api) -> None:
    refused = api.post("/v1/charges", key=api.live_sk, amount=500, currency="usd", source="tok_visa")
    assert (refused.status, refused.error["code"]) == (402, "testmode_charges_only")
    assert refused.error["message"] == "Your account cannot currently make live charges."


def test_a_test_card_is_refused_in_live_mode_and_a_real_one_in_test_mode(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    live = api.post("/v1/tokens", key=api.live_sk, card=card)
    assert live.error["decline_code"] == "live_mode_test_card"
    test = api.post("/v1/tokens", card={**card, "number": "4111111111111111"})
    assert test.error["decline_code"] == "test_mode_live_card"


def test_a_balance_given_at_creation_is_a_transaction(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", balance=-500)
    assert customer["balance"] == -500
    path = f"/v1/customers/{customer['id']}"
    assert api.ok("post", path, balance=100)["balance"] == 100
    listed = api.ok("get", path + "/balance_transactions")["data"]
    assert [(entry["amount"], entry["type"]) for entry in listed] == [(600, "adjustment"), (-500, "initial")]


def test_a_coupon_and_a_tax_id_come_with_a_new_customer(api: Api) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=20, duration="forever")
    customer = api.ok(
        "post", "/v1/customers", coupon=coupon["id"], tax_id_data=[{"type": "eu_vat", "value": "DE123456789"}]
    )
    shown = api.ok("get", f"/v1/customers/{customer['id']}", expand=["discount", "tax_ids"])
    assert shown["discount"]["source"]["coupon"] == coupon["id"]
    assert shown["tax_ids"]["data"][0]["value"] == "DE123456789"


def test_a_second_coupon_replaces_the_first_and_an_empty_one_takes_it_away(api: Api) -> None:
    first, second = (api.ok("post", "/v1/coupons", percent_off=share, duration="forever")["id"] for share in (20, 30))
    customer = api.ok("post", "/v1/customers", coupon=first)
    path = f"/v1/customers/{customer['id']}"
    assert api.ok("post", path, coupon=second)["discount"]["source"]["coupon"] == second
    assert api.ok("post", path, coupon="")["discount"] is None
    told = [event["type"] for event in api.events() if event["type"].startswith("customer.discount")]
    assert told == ["customer.discount.created", "customer.discount.updated", "customer.discount.deleted"]
    api.ok("post", path, coupon=first)
    assert api.ok("get", path + "/discount")["source"]["coupon"] == first
    assert api.delete(path + "/discount").status == 200
    assert api.get(path + "/discount").error["code"] == "resource_missing"


def test_nothing_of_a_live_number_is_stored_but_its_end(api: Api) -> None:
    number = "4111111111111111"
    card = {"number": number, "exp_month": 1, "exp_year": 2030, "cvc": "987"}
    method = api.ok("post", "/v1/payment_methods", key=api.live_sk, type="card", card=card)
    token = api.ok("post", "/v1/tokens", key=api.live_sk, card=card)
    assert (method["livemode"], method["card"]["last4"], token["card"]["fingerprint"]) == (
        True,
        "1111",
        method["card"]["fingerprint"],
    )
    for table in ("obj_payment_method", "obj_token"):
        rows = api.core.database.read(
            lambda tx, table=table: tx.execute(f"SELECT body, private FROM {table} WHERE account = ?", (api.account,))
        )
        assert rows
        assert all(number.encode() not in bytes(cell or b"") for row in rows for cell in row)


def test_a_publishable_key_makes_payment_methods_and_tokens_and_sees_no_fingerprint(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    method = api.ok("post", "/v1/payment_methods", key=api.pk, type="card", card=card)
    assert "metadata" not in method
    assert "fingerprint" not in method["card"]
    assert "fingerprint" not in api.ok("post", "/v1/tokens", key=api.pk, card=card)["card"]
    assert api.get("/v1/customers", key=api.pk).error["code"] == "secret_key_required"

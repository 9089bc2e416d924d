"""The v2 helpers of the official Python and Node SDKs, over HTTP: destinations, thin events, accounts, meter events."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import stripe

from tests.contract.conftest import Running
from tests.support.receiver import Receiver, receiver

__all__ = ["receiver"]


def test_python_hears_of_a_thin_event_and_fetches_what_it_names(sdk: stripe.StripeClient, receiver: Receiver) -> None:
    destination = sdk.v2.core.event_destinations.create(
        {
            "name": "Mine",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.customer.created"],
            "webhook_endpoint": {"url": receiver.url},
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    assert destination.webhook_endpoint is not None
    customer = sdk.v1.customers.create({"email": "jenny@example.com"})
    headers, body = receiver.arrived.get(timeout=120)
    signature = headers["Stripe-Signature"]
    secret = destination.webhook_endpoint.signing_secret
    assert secret is not None
    note = sdk.parse_event_notification(body, signature, secret)
    assert note.type == "v1.customer.created"
    assert note.fetch_related_object().id == customer.id
    assert note.fetch_event().id == note.id
    with pytest.raises(stripe.SignatureVerificationError):
        sdk.parse_event_notification(body + b" ", signature, secret)
    sdk.v2.core.event_destinations.delete(destination.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v2.core.event_destinations.retrieve(destination.id)
    assert refused.value.code == "not_found"


def test_python_pages_through_events(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"name": "1"}).id
    for name in ("2", "3", "4"):
        sdk.v1.customers.update(customer, {"name": name})
    found = sdk.v2.core.events.list({"object_id": customer, "limit": 2})
    assert [one.type for one in found.auto_paging_iter()] == ["v1.customer.updated"] * 3 + ["v1.customer.created"]


def test_python_streams_meter_events_until_the_session_ends(server: Running, sdk: stripe.StripeClient) -> None:
    session = sdk.v2.billing.meter_event_session.create()
    streaming = stripe.StripeClient(
        session.authentication_token, base_addresses={"api": server.url, "meter_events": server.url}
    )
    event = {"event_name": "nothing", "payload": {"value": "1"}}
    streaming.v2.billing.meter_event_stream.create({"events": [event]})  # type: ignore[list-item]
    with pytest.raises(stripe.PermissionError):
        streaming.v1.customers.list()


NODE = """
const Stripe = require('stripe');
const [url, key] = process.argv.slice(2);
const at = new URL(url);
const stripe = new Stripe(key, {host: at.hostname, port: at.port, protocol: 'http', maxNetworkRetries: 0});
(async () => {
  const out = {};
  const made = await stripe.v2.core.eventDestinations.create({
    name: 'Mine', type: 'webhook_endpoint', event_payload: 'thin', enabled_events: ['v1.product.created'],
    webhook_endpoint: {url: 'https://example.com/hook'}, include: ['webhook_endpoint.signing_secret'],
  });
  const product = await stripe.products.create({name: 'Mug'});
  const events = await stripe.v2.core.events.list({object_id: product.id});
  const body = JSON.stringify({...events.data[0], data: undefined});
  const secret = made.webhook_endpoint.signing_secret;
  const header = stripe.webhooks.generateTestHeaderString({payload: body, secret});
  const note = stripe.parseEventNotification(body, header, secret);
  out.type = note.type;
  out.related = (await note.fetchRelatedObject()).id === product.id;
  out.event = (await note.fetchEvent()).id === events.data[0].id;
  out.ping = (await stripe.v2.core.eventDestinations.ping(made.id)).type;
  await stripe.v2.core.eventDestinations.del(made.id);
  try { await stripe.v2.core.eventDestinations.retrieve(made.id); } catch (error) { out.gone = error.code; }
  const account = await stripe.v2.core.accounts.create({
    contact_email: 'a@example.com', identity: {country: 'us', entity_type: 'company'}, include: ['identity'],
  });
  out.account = [account.object, account.identity.country];
  console.log(JSON.stringify(out));
})();
"""


def test_node_uses_destinations_events_and_accounts(server: Running, node: Callable[..., str]) -> None:
    assert json.loads(node(NODE, server.url, server.secret_key)) == {
        "type": "v1.product.created",
        "related": True,
        "event": True,
        "ping": "v2.core.event_destination.ping",
        "gone": "not_found",
        "account": ["v2.core.account", "us"],
    }

"""PaymentMethodDomains and Apple Pay domains: the domains on which wallets may be shown.

registered ──update enabled──▶ … enabled │ disabled      apple pay domain: registered ──delete──▶ (gone)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.kinds import Kind
from tollkey.wire.live import needs, records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

DOMAIN: Kind[api.PaymentMethodDomain] = Kind("payment_method_domain")
APPLE_DOMAIN: Kind[api.ApplePayDomain] = Kind("apple_pay_domain")
PERMISSION = Permission("payment_method_domain", "Payment Method Domains", "Core")
APPLE_PERMISSION = Permission("apple_pay_domain", "Apple Pay Domains", "Core")
_WALLETS = ("amazon_pay", "apple_pay", "google_pay", "klarna", "link", "paypal")
_DOMAIN = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE
)


def _name(params: operations.PostApplePayDomains | operations.PostPaymentMethodDomains) -> str:
    name = str(params["domain_name"]).strip()
    if not _DOMAIN.fullmatch(name):
        raise invalid(f"Invalid domain name: {name}", "domain_name")
    return name.lower()


def _wallet_status(call: Call, enabled: bool) -> api.PaymentMethodDomainResourcePaymentMethodStatus:
    """Return the status of a wallet on a domain. In live mode nobody registers it with the wallet's provider."""
    if call.has(providers.WALLETS):
        return {"status": "active" if enabled else "inactive"}
    return {"status": "inactive", "status_details": {"error_message": providers.WALLETS.refusal().message}}


def create(call: Call, params: operations.PostPaymentMethodDomains) -> api.PaymentMethodDomain:
    """Register a domain; a domain registered before is returned unchanged."""
    name = _name(params)
    known = call.objects.query(DOMAIN, {"domain_name": name}, 1)
    if known:
        return known[0]
    enabled = params.get("enabled", True) is not False
    domain = new_object(
        DOMAIN,
        id=call.ids.new("pmd"),
        created=call.now,
        domain_name=name,
        enabled=enabled,
        livemode=call.livemode,
        **{wallet: _wallet_status(call, enabled) for wallet in _WALLETS},
    )
    return call.objects.insert(domain)


def update(call: Call, params: operations.PostPaymentMethodDomainsPaymentMethodDomain) -> api.PaymentMethodDomain:
    """Enable or disable a domain."""
    domain = call.objects.get(DOMAIN, call.path["payment_method_domain"])
    if params.get("enabled") is not None:
        domain["enabled"] = params["enabled"]
        fields.assign(domain, {wallet: _wallet_status(call, domain["enabled"]) for wallet in _WALLETS}, _WALLETS)
    return call.objects.save(domain)


def validate(
    call: Call, params: operations.PostPaymentMethodDomainsPaymentMethodDomainValidate
) -> api.PaymentMethodDomain:
    """Validate a domain again; this server accepts every domain."""
    return call.objects.get(DOMAIN, call.path["payment_method_domain"])


def create_apple(call: Call, params: operations.PostApplePayDomains) -> api.ApplePayDomain:
    """Register a domain for Apple Pay."""
    domain = new_object(
        APPLE_DOMAIN, id=call.ids.new("apwc"), created=call.now, domain_name=_name(params), livemode=call.livemode
    )
    return call.objects.insert(domain)


def delete_apple(call: Call, params: operations.DeleteApplePayDomainsDomain) -> Deleted:
    """Unregister a domain for Apple Pay."""
    domain = call.objects.get(APPLE_DOMAIN, call.path["domain"])
    return call.objects.delete(domain)


PAYMENT_METHOD_DOMAIN = Resource(
    object="payment_method_domain",
    prefix="pmd",
    permission=PERMISSION,
    live=records(),
    path_param="payment_method_domain",
    indexed=("domain_name", "enabled"),
    endpoints=(
        listing("payment_method_domain", "/v1/payment_method_domains"),
        Endpoint("POST", "/v1/payment_method_domains", create),
        retrieve("payment_method_domain", "/v1/payment_method_domains/{payment_method_domain}"),
        Endpoint("POST", "/v1/payment_method_domains/{payment_method_domain}", update),
        Endpoint(
            "POST",
            "/v1/payment_method_domains/{payment_method_domain}/validate",
            validate,
            live=needs(providers.WALLETS),
        ),
    ),
    title="Payment method domains",
    columns=("domain_name", "id", "enabled"),
)

APPLE_PAY_DOMAIN = Resource(
    object="apple_pay_domain",
    prefix="apwc",
    permission=APPLE_PERMISSION,
    live=needs(providers.WALLETS),
    path_param="domain",
    indexed=("domain_name",),
    endpoints=(
        listing("apple_pay_domain", "/v1/apple_pay/domains"),
        Endpoint("POST", "/v1/apple_pay/domains", create_apple),
        retrieve("apple_pay_domain", "/v1/apple_pay/domains/{domain}"),
        Endpoint("DELETE", "/v1/apple_pay/domains/{domain}", delete_apple),
    ),
    title="Apple Pay domains",
    columns=("domain_name", "id", "created"),
)

"""Checkout Sessions and payment links as stored, with their private fields."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypeAlias, TypedDict

from tollkey.payments.catalog.stored import DiscountEntry
from tollkey.wire import api

CustomerDetails: TypeAlias = api.PaymentPagesCheckoutSessionCustomerDetails
CustomField: TypeAlias = api.PaymentPagesCheckoutSessionCustomFields
DeliveryDetails: TypeAlias = api.PaymentPagesCheckoutSessionCheckoutAddressDetails
TextPosition: TypeAlias = api.PaymentPagesCheckoutSessionCustomTextPosition
CollectedInformation: TypeAlias = api.PaymentPagesCheckoutSessionCollectedInformation
OptionalItem: TypeAlias = api.PaymentPagesCheckoutSessionOptionalItem
AdjustableQuantity: TypeAlias = api.PaymentPagesCheckoutSessionOptionalItemAdjustableQuantity
BusinessName: TypeAlias = api.PaymentPagesCheckoutSessionBusinessName
IndividualName: TypeAlias = api.PaymentPagesCheckoutSessionIndividualName
NameCollection: TypeAlias = api.PaymentPagesCheckoutSessionNameCollection
NameRule: TypeAlias = BusinessName | IndividualName
BrandingSettings: TypeAlias = api.PaymentPagesCheckoutSessionBrandingSettings
AutomaticTax: TypeAlias = api.PaymentPagesCheckoutSessionAutomaticTax
InvoiceCreation: TypeAlias = api.PaymentPagesCheckoutSessionInvoiceCreation

class StoredLine(api.Item):
    """A line item of a session or of a payment link.

    _rates: ids of its tax rates. _inline: whether its price was created for it (``price_data``). _recurs: what a
        recurring item costs in each period, minor units; null for a one-time price. _amount: the amount that the
        customer chose, minor units; null unless the price lets customers choose. _optional: id of the price of the
        optional item that the customer added; absent or null for other lines.
    """

    _rates: list[str]
    _inline: bool
    _recurs: int | None
    _amount: int | None
    _optional: NotRequired[str | None]

class LineEntry(TypedDict):
    """An entry of ``line_items`` that recreates a line when the order changes, with the line's private fields."""

    price: str
    quantity: int | None
    tax_rates: NotRequired[list[str]]
    adjustable_quantity: NotRequired[api.LineItemsAdjustableQuantity | None]
    metadata: NotRequired[dict[str, str] | None]
    _inline: NotRequired[bool]
    _amount: NotRequired[int | None]
    _optional: NotRequired[str | None]

class KeptTax(TypedDict):
    """The tax of one tax rate on a session.

    amount, taxable: minor units. rate: the id of the tax rate. reason: ``taxability_reason``.
    """

    amount: int
    rate: str
    reason: str | None
    taxable: int

class KeptBreakdown(TypedDict):
    """The data of ``total_details.breakdown``, which is built when it is expanded."""

    discounts: list[api.LineItemsDiscountAmount]
    taxes: list[KeptTax]

class StoredSession(api.CheckoutSession):
    """A Checkout Session.

    _lines: its line items; empty in mode ``setup``. _discounts: its coupons and promotion codes, redeemed on
        completion. _redeemed: ids of the discounts created from them; absent before its payment begins. _params: the
        parameters it was created with; null unless its recovery is enabled. _payment_intent_data, _subscription_data,
        _setup_intent_data: the parameters of that name; empty if not sent. _customer_update: ``customer_update`` as
        sent; empty if not sent. _breakdown: each discount and tax; absent in mode ``setup``. _promotion_text: the
        promotion code that was entered; absent before. _wrong_codes: the number of wrong promotion codes entered;
        absent before the first. _confirmation: the heading of its last page, from its payment link; absent or null for
        the default. _for_portal: it saves a card for the customer portal; absent otherwise. _allow_redisplay: that of
        the payment method it is paid with; absent if not sent. _method_options: ``payment_method_options`` as sent, for
        its intent; absent in sessions of earlier servers. _background: true if the merchant chose ``background_color``;
        absent otherwise. _picture: path of the page's icon or logo on this server; absent without one.
        _prefilled_email: what its page shows in the field of the e-mail address at first; absent for nothing.
    """

    _lines: list[StoredLine]
    _discounts: list[DiscountEntry]
    _redeemed: NotRequired[list[str]]
    _params: Mapping[str, Any] | None
    _payment_intent_data: Mapping[str, Any]
    _subscription_data: Mapping[str, Any]
    _setup_intent_data: Mapping[str, Any]
    _customer_update: NotRequired[Mapping[str, str]]
    _breakdown: NotRequired[KeptBreakdown]
    _promotion_text: NotRequired[str]
    _wrong_codes: NotRequired[int]
    _confirmation: NotRequired[str | None]
    _for_portal: NotRequired[bool]
    _allow_redisplay: NotRequired[str]
    _method_options: NotRequired[Mapping[str, Any]]
    _background: NotRequired[bool]
    _picture: NotRequired[str]
    _prefilled_email: NotRequired[str]

class StoredLink(api.PaymentLink):
    """A payment link.

    _lines: its line items. _created: UTC epoch seconds. _custom_fields: ``custom_fields`` as sent, for its sessions;
        absent if never sent. _billing_mode: that of the subscriptions of its sessions, ``classic`` or ``flexible``;
        absent in links of earlier servers.
    """

    _lines: list[StoredLine]
    _created: int
    _billing_mode: NotRequired[str]
    _custom_fields: NotRequired[list[Mapping[str, Any]]]

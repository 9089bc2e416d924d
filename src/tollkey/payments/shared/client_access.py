"""Parameters that several endpoints accept from browsers and apps, in the notation of ``wire.access``.

Sources: what the specification describes as ``client_key_param`` or for publishable keys; the type declarations of
    Stripe.js (payment-intents, setup-intents, payment-methods, tokens); the request classes of the mobile SDKs;
    recorded traffic of Stripe.js.
"""

from __future__ import annotations

ADDRESS = "address{city country line1 line2 postal_code state}"
SHIPPING = f"shipping{{{ADDRESS} carrier name phone tracking_number}}"
CUSTOMER_SHIPPING = f"shipping{{{ADDRESS} name phone}}"
#: A card number, or a token of one (Apple Pay, Google Pay).
CARD = "card{cvc exp_month exp_year networks{preferred} number token}"

#: Types of payment methods without data: their hash is sent empty or left out.
_EMPTY = (
    "affirm{} afterpay_clearpay{} alipay{} alma{} amazon_pay{} bancontact{} billie{} bizum{} blik{} cashapp{} crypto{}"
    " customer_balance{}"
    " giropay{} grabpay{} kakao_pay{} konbini{} kr_card{} link{} mb_way{} mobilepay{} multibanco{} oxxo{}"
    " pay_by_bank{} payco{} paynow{}"
    " paypal{} pix{} promptpay{} revolut_pay{} samsung_pay{} satispay{} scalapay{} sunbit{} swish{} twint{} upi{}"
    " wechat_pay{} zip{}"
)
_TYPED = (
    "acss_debit{account_number institution_number transit_number} au_becs_debit{account_number bsb_number}"
    " bacs_debit{account_number sort_code} boleto{tax_id} eps{bank} fpx{bank} ideal{bank} klarna{dob{day month year}}"
    " naver_pay{funding}"
    " nz_bank_account{account_holder_name account_number bank_code branch_code reference suffix} p24{bank}"
    " payto{account_number bsb_number pay_id} sepa_debit{iban} sofort{country}"
    " us_bank_account{account_holder_type account_number account_type routing_number}"
)
BILLING = f"billing_details{{{ADDRESS} email name phone tax_id}}"
#: Parameters that describe a new payment method.
METHOD = f"type {CARD} {_EMPTY} {_TYPED} {BILLING} allow_redisplay metadata=any radar_options{{session}}"
#: Only the server may set these of a new payment method: a terminal's reading, a linked bank account, the amounts
#: of a mandate.
METHOD_REFUSED = "interac_present us_bank_account{financial_connections_account} upi{mandate_options}"
#: Parameters that Stripe.js adds to ``radar_options``.
HCAPTCHA = "radar_options{hcaptcha_token}"
#: The specification's ``client_key_param``: a browser's acceptance is online and now.
MANDATE = "mandate_data{customer_acceptance{type online{ip_address user_agent}}}"
MANDATE_REFUSED = "mandate_data{customer_acceptance{accepted_at offline}}"
#: IP address and user agent are always inferred if they are not sent, so requesting that changes nothing.
MANDATE_IGNORED = "mandate_data{customer_acceptance{online{infer_from_client}}}"

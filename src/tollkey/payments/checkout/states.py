"""The states of Checkout Sessions: of the session, and of its payment.

checkout.session.status:

    ● ──created──▶ open
    open ──paid, subscribed, or the payment method is saved──▶ complete
         ──expired on request, or not paid in time──▶ expired

After a declined card or a failed challenge the session stays open.

checkout.session.payment_status:

    ● ──created──▶ unpaid │ no_payment_required
    unpaid ──completed with a payment──▶ paid
           ──completed with a delayed payment──▶ unpaid
           ──completed, and nothing was due──▶ no_payment_required
    no_payment_required ──completed, and nothing was due──▶ no_payment_required
                        ──completed, with an amount chosen on the page──▶ paid │ unpaid
"""

from __future__ import annotations

from tollkey.payments.shared import states

SESSION = states.States(
    "checkout.session", {"open": ("complete", "expired"), "complete": (), "expired": ()}, initial=("open",)
)
PAYMENT = states.States(
    "checkout.session",
    {
        "unpaid": ("unpaid", "paid", "no_payment_required"),
        "paid": (),
        "no_payment_required": ("no_payment_required", "paid", "unpaid"),
    },
    initial=("unpaid", "no_payment_required"),
    field="payment_status",
)

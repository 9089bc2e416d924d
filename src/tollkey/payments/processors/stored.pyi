"""Parts of objects with properties that real answers have and the API's document lacks."""

from tollkey.wire import api

class ChargedCard(api.PaymentMethodDetailsCard):
    """``charge.payment_method_details.card``.

    transaction_link_id: always None here (recorded).
    """

    transaction_link_id: str | None

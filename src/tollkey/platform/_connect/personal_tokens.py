"""Tokens that hold what somebody typed about an account or a person; each is used once.

created ──used──▶ used, and what it held is forgotten
"""

from __future__ import annotations

from tollkey.wire import Call, Json, invalid
from tollkey.wire.sealing import unseal_params


def spend_token(call: Call, id: str, kind: str) -> Json:
    """Use up a token and return the parameters that it held.

    kind: ``account`` or ``person``; the request names the token in ``account_token`` or ``person_token``.
    Raises ApiError 400 for a token that does not exist, holds something else, or was used (``token_already_used``).
    """
    param = f"{kind}_token"
    token = call.objects.get("token", id, param)
    if token["type"] != kind:
        raise invalid(f"The token {id} is not of type `{kind}`.", param, retry=False)
    if token["used"]:
        raise invalid(f"You cannot use a Stripe token more than once: {id}.", param, "token_already_used")
    token["used"] = True
    # popped, so that sensitive numbers are not stored longer than needed
    held: Json = unseal_params(call, id, token.pop(f"_{kind}", None))
    call.objects.save(token)
    return held

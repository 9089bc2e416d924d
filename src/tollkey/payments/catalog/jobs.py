"""The scheduled work of this room, by name. The resources say in ``on_due`` what it does."""

from __future__ import annotations

from tollkey.wire.kinds import Job

COUPON_EXPIRE = Job("coupon.expire")
PROMOTION_CODE_EXPIRE = Job("promotion_code.expire")

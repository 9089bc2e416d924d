"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

COUPON_EXPIRE = Job("coupon.expire")
PROMOTION_CODE_EXPIRE = Job("promotion_code.expire")

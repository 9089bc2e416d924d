"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

CLIMATE_ORDER_DELIVER = Job("climate.order.deliver")
CLIMATE_ORDER_PAY = Job("climate.order.pay")

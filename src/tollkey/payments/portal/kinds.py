"""The kinds of objects of this room, with the types that they are stored as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.portal.stored import StoredPortalSession
    from tollkey.wire import api

SESSION: Kind[StoredPortalSession] = Kind("billing_portal.session")
CONFIGURATION: Kind[api.BillingPortalConfiguration] = Kind("billing_portal.configuration")

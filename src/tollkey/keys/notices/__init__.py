"""Notices about keys, by signed webhooks and by e-mail: made, rolled, revoked, expiring, leaked, …

``Notices`` gathers what happened and sends it; ``unused`` lists keys that nobody uses. Needs the package ``httpx``.
"""

from tollkey.keys.notices.events import EVENTS
from tollkey.keys.notices.gathering import unused
from tollkey.keys.notices.notifier import Notices, section_in
from tollkey.keys.notices.section import Email, Section, Webhook
from tollkey.keys.notices.sending import MailChannel, WebhookChannel

__all__ = ["EVENTS", "Email", "MailChannel", "Notices", "Section", "Webhook", "WebhookChannel", "section_in", "unused"]

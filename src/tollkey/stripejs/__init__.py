"""Stripe.js and Elements: the script that a shop's page loads, and the frames in which its customers type.

Everything here is static. What decides about a payment is the API (``payments``), which the frames call with the
page's publishable key; no card number passes through the page. ``static/page`` is the script, ``static/frames`` what
runs within the frames.
"""

from tollkey.stripejs.app import StripeJs

__all__ = ["StripeJs"]

"""tap-stripe as it is, but for the authority whose certificates it trusts."""

import os

import stripe
from tap_stripe import main

stripe.ca_bundle_path = os.environ["SSL_CERT_FILE"]
main()

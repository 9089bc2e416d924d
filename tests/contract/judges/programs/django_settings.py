"""A Django project that has only dj-stripe in it. The stand-in for Stripe's hosts comes in by the environment."""

import os

import stripe

stripe.ca_bundle_path = os.environ["SSL_CERT_FILE"]

DEBUG = True
SECRET_KEY = "of a test"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "djstripe"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DJANGO_DATABASE"]}}
MIGRATION_MODULES = {name: None for name in ("contenttypes", "auth", "djstripe")}  # tables as they are at last
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STRIPE_TEST_SECRET_KEY = os.environ["STRIPE_KEY"]
STRIPE_LIVE_MODE = False
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"

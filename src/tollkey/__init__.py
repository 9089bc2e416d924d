"""Tollkey: Stripe's API-key system as software that anyone can run."""

__version__ = "0.1.0"  # the one place for it: the package's metadata and USER_AGENT follow

USER_AGENT = f"Tollkey/{__version__}"  # RFC 9110, section 10.1.5

__all__ = ["USER_AGENT", "__version__"]

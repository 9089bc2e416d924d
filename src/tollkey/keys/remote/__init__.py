"""Verification from elsewhere: asks a key server over HTTP, and caches answers while it hears of changes."""

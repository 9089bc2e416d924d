"""A page where a customer of the host makes, rolls and revokes keys, and a web component that does the same.

``Portal(keys, base_url=…)`` creates sessions for one account each, within what it may; its ``routes`` are for any
Starlette application. Needs the package ``starlette``.
"""

from tollkey.keys.portal.sessions import MIGRATION, NewSession
from tollkey.keys.portal.web import Portal

__all__ = ["MIGRATION", "NewSession", "Portal"]

"""Which URLs parameters and hosted pages may contain.

Links (``product.url``, ``support_url``) must be http or https. URLs that a customer is sent back to may also have a
mobile app's own scheme (``myapp://paid``, ``com.example.app:/paid``), as in Stripe's API, but not a scheme that
browsers or operating systems handle, since it could run a script or start a program.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WEB = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_SITE = re.compile(r"[\w-]+(\.[\w-]+)+(:[0-9]{1,5})?([/?#]\S*)?")
_APP = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s/]\S*")
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")
#: Schemes that browsers and operating systems handle.
_TAKEN = frozenset({
    "about", "afp", "android-app", "app-prefs", "appinstaller", "apt", "blob", "brave", "chrome", "chrome-extension",
    "content", "data",
    "devtools", "dict", "edge", "facetime", "facetime-audio", "feed", "file", "filesystem", "ftp", "ftps", "git",
    "gopher", "hcp",
    "help", "imap", "intent", "its", "jar", "javascript", "jnlp", "jnlps", "jscript", "ldap", "ldaps", "livescript",
    "macappstore",
    "mailto", "market", "mhtml", "mk", "mms", "mocha", "moz-extension", "news", "nfs", "nntp", "odopen", "onenote",
    "opera", "package",
    "pop", "prefs", "rdp", "res", "resource", "rlogin", "rtsp", "search", "search-ms", "sftp", "shell", "shortcuts",
    "sip", "sips",
    "smb", "sms", "ssh", "steam", "svn", "tel", "telnet", "tftp", "vbs", "vbscript", "view-source", "vnc", "vscode",
    "ws", "wscript",
    "wss",
})  # fmt: skip
_TAKEN_FAMILIES = ("ie.", "itms", "mac-app", "microsoft-", "ms-", "x-apple", "x-help")


def is_web_url(text: str) -> bool:
    """Return whether a text is an http or https URL with a host."""
    return _UNPRINTABLE.search(text) is None and _WEB.fullmatch(text) is not None and _can_be_parsed(text)


def is_site(text: str) -> bool:
    """Return whether a text is an http or https URL, or one without its scheme: ``www.example.com``."""
    if is_web_url(text):
        return True
    return _UNPRINTABLE.search(text) is None and _SITE.fullmatch(text) is not None and _can_be_parsed(f"//{text}")


def is_return_url(text: str) -> bool:
    """Return whether a customer may be sent to this URL: http, https or an app's own scheme."""
    found = _SCHEME.match(text)
    if found is None or _UNPRINTABLE.search(text):
        return False
    scheme = found[1].lower()
    if scheme.startswith("http"):
        return is_web_url(text)
    if scheme in _TAKEN or scheme.startswith(_TAKEN_FAMILIES):
        return False
    return _APP.fullmatch(text) is not None and _can_be_parsed(text)


def _can_be_parsed(text: str) -> bool:
    """Return whether host and port can be read: not of ``http://[`` or ``http://example.com:99999``."""
    try:
        parts = urlsplit(text)
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def has_scheme(text: str) -> bool:
    """Return whether a text begins with a scheme."""
    return _SCHEME.match(text) is not None

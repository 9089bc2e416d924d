"""Which addresses parameters and pages may hold: one rule for all of them.

Pages of the web for everything that people follow or read (``product.url``, ``support_url``). Where a customer is sent
back to, a mobile application's own scheme counts as well (``myapp://paid``, ``com.example.app:/paid``), as in the real
system; a scheme that runs a script, shows text of its own or starts a program of the machine does not.
"""

from __future__ import annotations

import re

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WEB = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_SITE = re.compile(r"[\w-]+(\.[\w-]+)+(:[0-9]{1,5})?([/?#]\S*)?")
_APP = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s/]\S*")
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")
#: Schemes that browsers and operating systems give a meaning of their own.
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
    """Whether it is an address of the web: http or https, with a host."""
    return _UNPRINTABLE.search(text) is None and _WEB.fullmatch(text) is not None


def is_site(text: str) -> bool:
    """Whether it is an address of the web, or one without its scheme: ``www.example.com``."""
    return is_web_url(text) or (_UNPRINTABLE.search(text) is None and _SITE.fullmatch(text) is not None)


def is_return_url(text: str) -> bool:
    """Whether a customer may be sent there: the web, or an application's own scheme."""
    found = _SCHEME.match(text)
    if found is None or _UNPRINTABLE.search(text):
        return False
    scheme = found[1].lower()
    if scheme.startswith("http"):
        return is_web_url(text)
    return scheme not in _TAKEN and not scheme.startswith(_TAKEN_FAMILIES) and _APP.fullmatch(text) is not None


def has_scheme(text: str) -> bool:
    """Whether it begins with a scheme at all."""
    return _SCHEME.match(text) is not None

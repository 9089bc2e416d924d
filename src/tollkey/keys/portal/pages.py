"""The HTML around the component. There is no inline script and no inline style, so that the policy can forbid them."""

from __future__ import annotations

from html import escape

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)


def portal_page(path: str, return_url: str | None, csrf: str = "") -> str:
    """Return the page of an open session. path: where the portal is. csrf: what its changes prove themselves with."""
    back = f'<p><a href="{escape(return_url)}">← Back</a></p>' if return_url else ""
    component = f'<tollkey-keys base="{escape(path)}" csrf="{escape(csrf)}"></tollkey-keys>'
    return _page(
        path,
        "API keys",
        f"{back}<h1>API keys</h1>{component}<noscript><p>This page needs JavaScript.</p></noscript>",
    )


def start_page(path: str) -> str:
    """Return the page of a link, whose form opens the session."""
    form = '<form method="post" data-start><button>Continue</button></form>'
    return _page(path, "API keys", f"<h1>API keys</h1><p>Opening your API keys …</p>{form}", "start.js")


def gone_page(path: str, message: str = "") -> str:
    """Return the page for a link or session that is unknown, used up or has ended."""
    title = "Not available" if message else "This page has expired"
    text = message or "This link has been used or has expired. Open it again from where you came."
    return _page(path, "API keys", f"<h1>{title}</h1><p>{escape(text)}</p>")


def _page(path: str, title: str, body: str, script: str = "tollkey-keys.js") -> str:
    at = escape(path)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{at}/static/portal.css">'
        f'<script type="module" src="{at}/static/{script}"></script></head>'
        f"<body><main>{body}</main></body></html>"
    )

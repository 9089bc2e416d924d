"""Small pictures that pages contain, drawn here: no file is loaded, and no brand's own drawing is copied."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

#: Name of a brand of cards -> its name for readers, what its picture says, and the colours of ground and letters.
BRANDS = {
    "visa": ("Visa", "VISA", "#1a3a8f", "#ffffff"),
    "mastercard": ("Mastercard", "MC", "#3a3a3a", "#ffd9a0"),
    "amex": ("American Express", "AMEX", "#0b6bb5", "#ffffff"),
    "discover": ("Discover", "DISC", "#ffffff", "#a14700"),
    "diners": ("Diners Club", "DC", "#ffffff", "#0b4f8a"),
    "jcb": ("JCB", "JCB", "#ffffff", "#1d5c2e"),
    "unionpay": ("UnionPay", "UP", "#a3202b", "#ffffff"),
}
_USUAL = ("visa", "mastercard", "amex")


def cards(label: str, names: Iterable[str] = _USUAL) -> str:
    """Return pictures of brands of cards as a list. label: says what the list is."""
    shown = "".join(f"<li>{card(name)}</li>" for name in names if name in BRANDS)
    return f'<ul class="icons" aria-label="{escape(label)}">{shown}</ul>'


def card(name: str, *, silent: bool = False) -> str:
    """Return the picture of a brand of cards. silent: whether a text beside it names the brand already."""
    title, letters, ground, ink = BRANDS[name]
    told = 'class="icon" aria-hidden="true"' if silent else f'role="img" aria-label="{title}"'
    return (
        f'<svg viewBox="0 0 40 25" {told}><rect x=".5" y=".5" width="39" height="24" rx="3.5"'
        f' fill="{ground}" stroke="#8a93a6"/><text x="20" y="16.5" text-anchor="middle" font-family="sans-serif"'
        f' font-size="10.5" font-weight="700" fill="{ink}">{letters}</text></svg>'
    )


def brand_name(name: str) -> str:
    """Return the name of a brand of cards for readers."""
    known = BRANDS.get(name)
    return known[0] if known else name.replace("_", " ").title()

"""How a session's page looks: colours, font, borders, picture and name of the business.

The settings of the session come first, then those of the account. What neither chooses stays as on every hosted page,
which follows the light or dark mode of the reader's device; a chosen background is the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive, missing_param, wrong_purpose
from tollkey.wire.hosted import Look, hosted_url, is_image_url
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import BrandingSettings, StoredSession

Colour: TypeAlias = tuple[int, int, int]

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_BACKGROUND, _BUTTON = "#ffffff", "#0074d4"
#: The least contrast between text and what is behind it (WCAG 2.2, success criterion 1.4.3).
_READABLE = 4.5
#: ``border_style`` -> corners of fields and buttons, and of the card around them.
_CORNERS = {"rounded": ("8px", "12px"), "rectangular": ("0", "0"), "pill": ("999px", "28px")}
#: ``font_family`` -> the family on the reader's device, and the kind that stands in for it: no font is loaded.
_FONTS: Mapping[str, tuple[str, str]] = {
    "be_vietnam_pro": ("Be Vietnam Pro", "sans-serif"),
    "bitter": ("Bitter", "serif"),
    "chakra_petch": ("Chakra Petch", "sans-serif"),
    "hahmlet": ("Hahmlet", "serif"),
    "inconsolata": ("Inconsolata", "monospace"),
    "inter": ("Inter", "sans-serif"),
    "lato": ("Lato", "sans-serif"),
    "lora": ("Lora", "serif"),
    "m_plus_1_code": ("M PLUS 1 Code", "monospace"),
    "montserrat": ("Montserrat", "sans-serif"),
    "noto_sans": ("Noto Sans", "sans-serif"),
    "noto_sans_jp": ("Noto Sans JP", "sans-serif"),
    "noto_serif": ("Noto Serif", "serif"),
    "nunito": ("Nunito", "sans-serif"),
    "open_sans": ("Open Sans", "sans-serif"),
    "pridi": ("Pridi", "serif"),
    "pt_sans": ("PT Sans", "sans-serif"),
    "pt_serif": ("PT Serif", "serif"),
    "raleway": ("Raleway", "sans-serif"),
    "roboto": ("Roboto", "sans-serif"),
    "roboto_slab": ("Roboto Slab", "serif"),
    "source_sans_pro": ("Source Sans Pro", "sans-serif"),
    "titillium_web": ("Titillium Web", "sans-serif"),
    "ubuntu_mono": ("Ubuntu Mono", "monospace"),
    "zen_maru_gothic": ("Zen Maru Gothic", "sans-serif"),
}


def check(call: Call, given: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for colours that are no hex values, and for pictures that cannot be shown.

    given: ``branding_settings`` of the request. The texts about colours and addresses are inferred; the document
    says what is demanded.
    """
    for name in ("background_color", "button_color"):
        colour = given.get(name)
        if colour and _HEX.fullmatch(colour) is None:
            text = f"Invalid hex color: {colour}; must start with `#` and have 3 or 6 hexadecimal digits."
            raise invalid(text, f"branding_settings[{name}]")
    _check_picture(call, given.get("icon"), "icon")
    _check_picture(call, given.get("logo"), "logo")
    if given.get("icon") and given.get("logo"):
        raise exclusive("branding_settings[logo]", "branding_settings[icon]")


def _check_picture(call: Call, picture: Mapping[str, Any] | None, name: Literal["icon", "logo"]) -> None:
    """Raise ApiError 400 for an icon or logo without the file or URL that its type requires."""
    if not picture:
        return
    where = f"branding_settings[{name}]"
    wanted, other = ("file", "url") if picture["type"] == "file" else ("url", "file")
    if not picture.get(wanted):
        raise missing_param(f"{where}[{wanted}]")
    if picture.get(other):
        text = f"You can not pass `{where}[{other}]` when `{where}[type]` is `{picture['type']}`."
        raise invalid(text, f"{where}[{other}]")
    if wanted == "url":
        if not is_image_url(picture["url"]):
            raise invalid("Not a valid URL", f"{where}[url]", "url_invalid")
        return
    file, purpose = call.objects.get("file", picture["file"], f"{where}[file]"), f"business_{name}"
    if file["purpose"] != purpose:
        raise wrong_purpose(file, purpose, f"{where}[file]")


def apply(call: Call, session: StoredSession, given: Mapping[str, Any]) -> None:
    """Set ``branding_settings`` of a new session, and where its page finds the picture. given: those of the request."""
    account = fields.acting_account(call) or {}
    brand: Mapping[str, Any] = value_at(account, "settings.branding") or {}
    background = given.get("background_color") or _colour_of(brand, "primary_color")
    settings: BrandingSettings = {
        "background_color": background or _BACKGROUND,
        "border_style": given.get("border_style") or "rounded",
        "button_color": given.get("button_color") or _colour_of(brand, "secondary_color") or _BUTTON,
        "display_name": given.get("display_name") or _name_of(account),
        "font_family": given.get("font_family") or "default",
        "icon": given.get("icon"),
        "logo": given.get("logo"),
    }
    if not given.get("icon") and not given.get("logo"):
        _use_account(brand, settings)
    session["branding_settings"] = settings
    if background:
        session["_background"] = True
    file = value_at(settings, "logo.file") or value_at(settings, "icon.file")
    if file and call.objects.find("file", file) is not None:
        session["_picture"] = urlsplit(hosted_url(call, "pictures", file)).path


def _colour_of(brand: Mapping[str, Any], name: str) -> str | None:
    """Return a colour of the account's branding; None if it has none, or one that no page can show."""
    colour = brand.get(name)
    return colour if isinstance(colour, str) and _HEX.fullmatch(colour) else None


def _name_of(account: Mapping[str, Any]) -> str:
    """Return the name by which customers know the business of an account."""
    return (
        value_at(account, "settings.dashboard.display_name")
        or value_at(account, "business_profile.name")
        or "Test account"
    )


def _use_account(brand: Mapping[str, Any], settings: BrandingSettings) -> None:
    """Set the picture of the account's branding: its logo, else its icon."""
    if brand.get("logo"):
        settings["logo"] = {"type": "file", "file": brand["logo"]}
    elif brand.get("icon"):
        settings["icon"] = {"type": "file", "file": brand["icon"]}


def header(session: StoredSession, after: str = "") -> str:
    """Return the picture and the name of the business as HTML. after: plain text behind the name."""
    settings = session["branding_settings"]
    name, source = settings["display_name"], _address(session)
    kind = "logo" if settings["logo"] else "icon"
    picture = f'<img class="{kind}" src="{escape(source)}" alt="">' if source else ""
    return f'<p class="note brand">{picture}<span>{escape(name + after)}</span></p>'


def _address(session: StoredSession) -> str:
    """Return where the picture is: a path of this server, or a URL elsewhere; empty without one."""
    settings = session["branding_settings"]
    chosen = settings["logo"] or settings["icon"]
    if chosen is None:
        return ""
    return chosen.get("url") or "" if chosen["type"] == "url" else session.get("_picture") or ""


def look(session: StoredSession) -> Look:
    """Return the style of a session's page, and the address of its picture if another server has it."""
    settings = session["branding_settings"]
    button = _rgb(settings["button_color"]) or _rgb(_BUTTON)
    assert button is not None, "the standard colour is one"
    round, card = _CORNERS[settings["border_style"]]
    values = {
        "button": _hex(button), "on-button": _hex(_best_on(button)), "edge": "var(--line)", "round": round,
        "card-round": card,
    }  # fmt: skip
    if settings["font_family"] in _FONTS:
        family, kind = _FONTS[settings["font_family"]]
        values["font"] = f'"{family}",{kind}'
    scheme = ""
    background = _rgb(settings["background_color"])
    if session.get("_background") and background is not None:
        values |= _on(background)
        scheme = "color-scheme:light;" if _best_on(background) == _BLACK else "color-scheme:dark;"
    css = scheme + ";".join(f"--{name}:{value}" for name, value in values.items())
    source = _address(session)
    return Look(f":root{{{css}}}\n{_PICTURE}", source if source.startswith("http") else None)


_PICTURE = (
    ".brand{display:flex;align-items:center;gap:.6rem;color:var(--text)}\n"
    ".brand span{min-width:0;overflow-wrap:anywhere}\n"
    ".brand .icon{width:2rem;height:2rem;object-fit:cover;border-radius:var(--round)}\n"
    ".brand .logo{max-width:9rem;max-height:2.5rem}"
)


def _on(background: Colour) -> dict[str, str]:
    """Return the values of the style's colours on a background, each with enough contrast to be read."""
    text = _best_on(background)
    soft = next(
        mixed
        for share in (0.35, 0.2, 0.1, 0)
        if _contrast(mixed := _mix(text, background, share), background) >= _READABLE
    )
    wrong = next(each for each in ((179, 38, 30), (255, 138, 128), text) if _contrast(each, background) >= _READABLE)
    return {
        "page": _hex(background), "card": _hex(background), "text": _hex(text), "soft": _hex(soft),
        "line": _hex(_mix(text, background, 0.55)), "accent": _hex(text), "bad": _hex(wrong),
    }  # fmt: skip


def _rgb(text: str) -> Colour | None:
    """Return the colour of a hex value with three or six digits; None for any other text."""
    if _HEX.fullmatch(text) is None:
        return None
    digits = text[1:] if len(text) == 7 else "".join(each * 2 for each in text[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _hex(colour: Colour) -> str:
    """Return a colour as a hex value."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between two. share: of the other one, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _best_on(background: Colour) -> Colour:
    """Return black or white, whichever is easier to read on a background; one of them always is (4.58 at least)."""
    return _BLACK if _contrast(_BLACK, background) >= _contrast(_WHITE, background) else _WHITE


def _contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (the formula of WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0 to 1 (the formula of WCAG 2.2)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

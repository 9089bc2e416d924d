"""How a session's page looks: colours, font, borders, picture and name of the business.

The settings of the session come first, then those of the account. What neither chooses stays as on every hosted page,
which follows the light or dark mode of the reader's device; a chosen background is the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from tollkey.payments.documents import brand, colours
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive, missing_param, wrong_purpose
from tollkey.wire.hosted import Look, hosted_url, is_image_url
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import BrandingSettings, StoredSession

_BACKGROUND, _BUTTON = "#ffffff", "#0074d4"
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
        if colour and colours.HEX.fullmatch(colour) is None:
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
    return colour if isinstance(colour, str) and colours.HEX.fullmatch(colour) else None


def _name_of(account: Mapping[str, Any]) -> str:
    """Return the name by which customers know the business of an account."""
    return (
        value_at(account, "business_profile.name")
        or value_at(account, "settings.dashboard.display_name")
        or "Test account"
    )


def _use_account(brand: Mapping[str, Any], settings: BrandingSettings) -> None:
    """Set the picture of the account's branding: its logo, else its icon."""
    if brand.get("logo"):
        settings["logo"] = {"type": "file", "file": brand["logo"]}
    elif brand.get("icon"):
        settings["icon"] = {"type": "file", "file": brand["icon"]}


def header(call: Call, session: StoredSession, language: Language) -> str:
    """Return the picture and the name of the business as HTML, and whether this is test mode."""
    settings = session["branding_settings"]
    name, source = settings["display_name"], _address(session)
    kind = "logo" if settings["logo"] else "icon"
    picture = f'<img class="{kind}" src="{escape(source)}" alt="">' if source else ""
    return f'<p class="brand">{picture}<span>{escape(name)}</span>{brand.badge(call, language)}</p>'


def _address(session: StoredSession) -> str:
    """Return where the picture is: a path of this server, or a URL elsewhere; empty without one."""
    settings = session["branding_settings"]
    chosen = settings["logo"] or settings["icon"]
    if chosen is None:
        return ""
    return chosen.get("url") or "" if chosen["type"] == "url" else session.get("_picture") or ""


def look(session: StoredSession, *, wide: bool = False) -> Look:
    """Return the style of a session's page, and the address of its picture if another server has it."""
    settings = session["branding_settings"]
    button = colours.rgb(settings["button_color"]) or colours.rgb(_BUTTON)
    assert button is not None, "the standard colour is one"
    round, card = _CORNERS[settings["border_style"]]
    values = {
        "button": colours.hex_of(button), "on-button": colours.hex_of(colours.best_on(button)), "edge": "var(--line)",
        "round": round, "card-round": card,
    }  # fmt: skip
    if settings["font_family"] in _FONTS:
        family, kind = _FONTS[settings["font_family"]]
        values["font"] = f'"{family}",{kind}'
    scheme = ""
    background = colours.rgb(settings["background_color"])
    if session.get("_background") and background is not None:
        values |= colours.readable_on(background)
        scheme = "color-scheme:light;" if colours.best_on(background) == colours.BLACK else "color-scheme:dark;"
    css = scheme + ";".join(f"--{name}:{value}" for name, value in values.items())
    source = _address(session)
    framed = session["ui_mode"] == "embedded_page" and not session["livemode"]
    address = source if source.startswith("http") else None
    return Look(f":root{{{css}}}\n{_PICTURE}", address, framed=framed, wide=wide)


_PICTURE = (
    ".brand .icon{width:2rem;height:2rem;object-fit:cover;border-radius:var(--round)}\n"
    ".brand .logo{max-width:9rem;max-height:2.5rem}"
)

"""How a session's page looks is what the request chose, then what the account chose; all of it can be read."""

from __future__ import annotations

import re
from itertools import product
from typing import Any, cast

import pytest

from tests.payments.checkout.steps import PNG, URL, line, page, path_of, session, upload
from tests.support.api import Api
from tollkey.payments.checkout.branding import look
from tollkey.payments.documents import colours

CHOSEN = {
    "background_color": ({"background_color": "#0a2540"}, "--page:#0a2540;--card:#0a2540;--text:#ffffff"),
    "a light background": ({"background_color": "#fe9"}, "color-scheme:light;"),
    "button_color": ({"button_color": "#FFCC00"}, "--button:#ffcc00;--on-button:#000000"),
    "a dark button": ({"button_color": "#333"}, "--button:#333333;--on-button:#ffffff"),
    "pill": ({"border_style": "pill"}, "--round:999px;--card-round:28px"),
    "rectangular": ({"border_style": "rectangular"}, "--round:0;--card-round:0"),
    "a font with serifs": ({"font_family": "roboto_slab"}, '--font:"Roboto Slab",serif'),
    "a font without": ({"font_family": "be_vietnam_pro"}, '--font:"Be Vietnam Pro",sans-serif'),
    "nothing": ({}, "--button:#0074d4;--on-button:#ffffff"),
    "nothing again": ({"background_color": "", "border_style": "", "font_family": ""}, "--round:8px"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHOSEN)
def test_the_page_has_the_chosen_colours_font_and_borders(api: Api, case: str) -> None:
    given, style = CHOSEN[case]
    made = session(api, branding_settings=given)
    shown = api.send("GET", path_of(made), key=None)
    [own] = re.findall(r"</style>\n<style>(.*?)</style>", shown.body.decode(), re.DOTALL)
    assert style in own
    assert shown.headers["content-security-policy"].count("'sha256-") == 2
    assert {name: made["branding_settings"][name] for name, value in given.items() if value} == {
        name: value for name, value in given.items() if value
    }


def test_a_page_without_a_chosen_background_follows_the_mode_of_the_device(api: Api) -> None:
    assert "--page:#fff" not in page(api, session(api))
    assert "--page:#ffffff" in page(api, session(api, branding_settings={"background_color": "#ffffff"}))


def test_every_colour_leaves_text_that_can_be_read() -> None:
    levels = ("00", "77", "80", "aa", "ff")
    for background in ("#" + "".join(one) for one in product(levels, repeat=3)):
        settings = {"background_color": background, "button_color": background, "border_style": "rounded",
                    "font_family": "default", "icon": None, "logo": None}  # fmt: skip
        made = cast(
            "Any",
            {"branding_settings": settings, "_background": True, "ui_mode": "hosted_page", "livemode": False},
        )
        values = dict(re.findall(r"--([\w-]+):(#\w{6})", look(made).style))
        for on, texts in (("page", ("text", "soft", "accent", "bad")), ("button", ("on-button",))):
            behind = cast("Any", colours.rgb(values[on]))
            ratios = [colours.contrast(cast("Any", colours.rgb(values[text])), behind) for text in texts]
            assert min(ratios) >= 4.5, (background, values)


def test_the_pages_show_the_name_of_the_session(api: Api) -> None:
    made = session(api, branding_settings={"display_name": "Tea & <Co>"}, cancel_url="https://shop.example/back")
    assert '<span>Tea &amp; &lt;Co&gt;</span><span class="badge">Test mode</span>' in page(api, made)
    assert "Go back to Tea &amp; &lt;Co&gt;" in page(api, made)
    path = path_of(made)
    api.ok("POST", f"{URL}/{made['id']}/expire")
    assert "Tea &amp; &lt;Co&gt;" in api.send("GET", path, key=None).body.decode()


@pytest.mark.parametrize("name", ["icon", "logo"])
def test_a_picture_that_was_uploaded_is_shown_to_whoever_has_the_page(api: Api, name: str) -> None:
    file = upload(api, purpose=f"business_{name}")["id"]
    made = session(api, branding_settings={name: {"type": "file", "file": file}})
    assert made["branding_settings"][name] == {"type": "file", "file": file}
    [source] = re.findall(rf'<img class="{name}" src="(/pictures/\w+)" alt="">', page(api, made))
    picture = api.send("GET", source, key=None)
    assert (picture.status, picture.body, picture.headers["content-type"]) == (200, PNG, "image/png")
    assert api.send("GET", source[:-1], key=None).status == 404


def test_a_picture_elsewhere_is_the_only_foreign_image_of_the_page(api: Api) -> None:
    made = session(api, branding_settings={"icon": {"type": "url", "url": "https://cdn.example/a.png?b&c"}})
    shown = api.send("GET", path_of(made), key=None)
    assert b'<img class="icon" src="https://cdn.example/a.png?b&amp;c" alt="">' in shown.body
    assert "img-src 'self' https://cdn.example;" in shown.headers["content-security-policy"]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a colour by name": ({"background_color": "red"}, "[background_color]", "Invalid hex color: red"),
    "a colour with too few digits": ({"button_color": "#12"}, "[button_color]", "Invalid hex color: #12"),
    "a colour with more behind it": ({"button_color": "#123456;}"}, "[button_color]", "Invalid hex color: #123456;}"),
    "a script as a picture": ({"icon": {"type": "url", "url": "javascript:1"}}, "[icon][url]", "Not a valid URL"),
    "a host that would end the policy": (
        {"logo": {"type": "url", "url": "https://a;script-src *"}}, "[logo][url]", "Not a valid URL"),
    "an unknown file": ({"icon": {"type": "file", "file": "file_no"}}, "[icon][file]", "No such"),
    "icon and logo": (
        {name: {"type": "url", "url": "https://a.example/b.png"} for name in ("icon", "logo")}, "",
        "You may only specify one of these parameters: branding_settings[logo], branding_settings[icon]."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_page_can_show_is_refused_by_name(api: Api, case: str) -> None:
    given, param, text = REFUSED[case]
    answer = api.post(
        URL, mode="payment", success_url="https://a.example", line_items=[line()], branding_settings=given
    )
    assert (answer.status, answer.error.get("param")) == (400, f"branding_settings{param}" if param else None)
    assert answer.error["message"].startswith(text)


def test_a_file_of_another_purpose_is_no_picture(api: Api) -> None:
    file = upload(api, purpose="identity_document")["id"]
    given = {"icon": {"type": "file", "file": file}}
    answer = api.post(
        URL, mode="payment", success_url="https://a.example", line_items=[line()], branding_settings=given
    )
    assert answer.refusal == (
        400, None, "branding_settings[icon][file]",
        f"The file `{file}` has the purpose `identity_document`; its purpose must be `business_icon`.",
    )  # fmt: skip


def test_the_branding_of_the_account_is_used_where_the_session_chooses_nothing(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="custom", country="US")["id"]
    there = {"stripe-account": account}
    logo = upload(api, purpose="business_logo", headers=there)["id"]
    brand = {"primary_color": "#102030", "secondary_color": "no colour", "logo": logo}
    api.ok("POST", f"/v1/accounts/{account}", settings={"branding": brand}, business_profile={"name": "Tea"})
    given = {"mode": "payment", "success_url": "https://a.example", "line_items": [line()]}
    made = api.ok("POST", URL, headers=there, branding_settings={"border_style": "pill"}, **given)
    assert made["branding_settings"] == {
        "background_color": "#102030", "border_style": "pill", "button_color": "#0074d4", "display_name": "Tea",
        "font_family": "default", "icon": None, "logo": {"type": "file", "file": logo},
    }  # fmt: skip
    [source] = re.findall(r'src="(/pictures/\w+)"', page(api, made))
    assert api.send("GET", source, key=None).body == PNG

"""Every parameter that holds an address refuses what is no page: over the whole catalogue, by name, so that the next
one cannot do less.
"""

from __future__ import annotations

import pytest

import tollkey.payments
import tollkey.platform
from tests.support.api import Api
from tests.support.parameters import every_parameter
from tollkey.core import gather
from tollkey.wire import ApiError
from tollkey.wire.hosted import safe_link
from tollkey.wire.params import Param, Unset
from tollkey.wire.resource import Catalogue
from tollkey.wire.urls import is_return_url, is_web_url

#: Where a customer is sent back to: an application's own scheme is taken too, as in the real system.
RETURNS = ("return_url", "success_url", "cancel_url", "refresh_url")
#: What the Stripe CLI tells of where it forwards to; it is not kept and leads nowhere.
TOLD = frozenset({"forward_to_url", "forward_connect_to_url", "forward_thin_to_url", "forward_thin_connect_to_url"})
REFUSED = (
    "javascript:alert(1)", "JavaScript:alert(1)", "javascript://example.com/%0aalert(1)", "data:text/html,<b>hi</b>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd", "blob:https://example.com/x", "about:blank", "view-source:https://example.com",
    "filesystem:http://x/y",
    "intent://scan/#Intent;scheme=zxing;end", "android-app://com.example/x", "ms-msdt:/id PCWDiagnostic", "ms-msdt:/id",
    "ms-officecmd:x",
    "itms-services://?action=download-manifest", "jnlp://example.com/x", "ie.http://example.com", "steam://run/1",
    "microsoft-edge:/x",
    "search-ms:query=x", "mailto:a@example.com", "tel:+1900", "smb://host/share", "http://", "https:///nowhere",
    "http:x",
    "https://example.com/a b", "https://example.com/\n", "\tjavascript:alert(1)", "java\nscript:alert(1)",
    "http://[", "http://[::1", "https://[1]:x/", "https://a\u2100b/", "https://example.com:99999/", "myapp://[",
)  # fmt: skip
PAGES = ("https://example.com", "http://localhost:3000/back?a=1#b", "HTTPS://EXAMPLE.COM/x", "http://[::1]:3000/back")
APPS = ("myapp://paid", "com.example.app:/paid", "your-app://stripe-redirect?x=1")

CATALOGUE = Catalogue(gather(tollkey.platform, tollkey.payments))


def holds_an_address(path: tuple[str, ...]) -> bool:
    """Whether a parameter's name says that it holds one."""
    name = path[-1]
    return (name == "url" or name.endswith("_url") or path[-2:] == ("images", "[]")) and name not in TOLD


FOUND = [
    (f"{endpoint.method} {endpoint.path} {'.'.join(path)}", path[-1], node)
    for endpoint, path, node in every_parameter(CATALOGUE)
    if endpoint.method != "GET" and holds_an_address(path)
]


def takes(node: Param, text: str) -> bool:
    try:
        (node.inner if isinstance(node, Unset) else node).read(text, (None, "url"))
    except ApiError as error:
        return (error.status, error.code) != (400, "url_invalid")
    return True


def test_there_are_addresses_to_look_at() -> None:
    assert len(FOUND) > 40


@pytest.mark.parametrize(("name", "last", "node"), FOUND, ids=[name for name, _, _ in FOUND])
def test_a_parameter_takes_pages_and_refuses_what_starts_something_else(name: str, last: str, node: Param) -> None:
    assert [text for text in REFUSED if takes(node, text)] == []
    assert [text for text in PAGES if not takes(node, text)] == []
    assert [takes(node, text) for text in APPS] == [last.endswith(RETURNS)] * len(APPS)


@pytest.mark.parametrize("text", REFUSED)
def test_no_page_leads_where_no_parameter_may(text: str) -> None:
    assert safe_link(text) == "/"
    assert not is_web_url(text)
    assert not is_return_url(text)


def test_a_refused_address_is_told_in_the_wire_s_form(api: Api) -> None:
    refused = api.post("/v1/products", name="Hat", url="javascript:alert(1)")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "url_invalid", "url")
    profile = {"support_url": "ms-msdt:/id"}
    refused = api.post("/v1/accounts", type="custom", country="US", business_profile=profile)
    assert (refused.status, refused.error["code"], refused.error["param"]) == (
        400,
        "url_invalid",
        "business_profile[support_url]",
    )
    taken = api.ok("post", "/v1/accounts", type="custom", country="US", business_profile={"url": "www.example.com"})
    assert taken["business_profile"]["url"] == "www.example.com"

"""Pages for people without an account in another language: nothing on them stays English."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx

from tests.browser.conftest import Running
from tests.browser.shop import Shop, fill

_SPOKEN = ("aria-label", "placeholder", "alt", "title")
#: What the shop itself or a bank has named, and names of brands.
_NAMES = re.compile(
    r"Test account|Tea.*|Jenny Rosen|jenny@example\.com|[\W\d]+ [A-Z]{3}|Visa •••• 4242.*|[A-Z0-9]{8,}|futsu|Test \w+"
    r"|Visa|VISA|Mastercard|American Express|AMEX|Afterpay|Alipay|Amazon Pay|Cash App Pay|Klarna|Link|Bancontact"
)


class _Texts(HTMLParser):
    """Collects what a reader of a page sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag in ("style", "script")
        self.found += [value for name, value in attrs if name in _SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.found.append(data.strip())


def english(html: str) -> list[str]:
    """The texts of a page in Latin letters that nobody has named so."""
    texts = _Texts()
    texts.feed(html)
    latin = [text for text in texts.found if re.search(r"[A-Za-z]{3}", text) and not re.search(r"[぀-鿿]", text)]
    return [text for text in latin if not _NAMES.fullmatch(text)]


def test_a_public_page_in_japanese_has_no_english_text(shared_server: Running) -> None:
    with Shop(shared_server) as shop:
        fill(shop)
    left, shown = list(dict.fromkeys(shop.addresses)), 0
    wrong: dict[str, list[str]] = {}
    with httpx.Client(headers={"Accept-Language": "ja"}, timeout=30) as visitor:
        for address in left:
            answer = visitor.get(address)
            if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/html"):
                continue
            shown += 1
            assert '<html lang="ja">' in answer.text, address
            left += [new for path in re.findall(r'href="(/[^"?]*)"', answer.text)
                     if (new := address[: address.index("/", 8)] + path) not in left]  # fmt: skip
            if found := english(answer.text):
                wrong[address] = found
    assert wrong == {}
    assert shown > 15

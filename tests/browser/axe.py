"""axe-core on the page that a browser shows: in light and in dark colours, and as narrow as a phone."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Frame, Page

DESK, PHONE = {"width": 1120, "height": 720}, {"width": 390, "height": 780}
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_RUN = """async (only) => {
    const rules = only.length ? { runOnly: { type: 'rule', values: only } } : {};
    const found = await axe.run(document, { resultTypes: ['violations'], ...rules });
    return found.violations.flatMap((one) => one.nodes.map((node) => [
        one.id, node.target.join(' '), node.html.slice(0, 200),
        node.any.concat(node.all, node.none).map((check) => check.message).join(' ').slice(0, 300)].join(' | ')));
}"""
#: What another size can change; the rest is the same document.
_BY_SIZE = [
    "color-contrast",
    "target-size",
    "scrollable-region-focusable",
    "link-name",
    "button-name",
    "label",
    "link-in-text-block",
    "heading-order",
    "empty-table-header",
    "page-has-heading-one",
]


def within(frame: Frame) -> list[str]:
    """Everything that axe finds wrong within a frame, which is no page with a heading of its own."""
    frame.evaluate(_AXE)
    found: list[str] = frame.evaluate(_RUN, [])
    return [one for one in found if not one.startswith(("region ", "page-has-heading-one ", "landmark-one-main "))]


def violations(page: Page) -> list[str]:
    """Everything that axe finds wrong with the page, in the three looks; and what a phone cannot show without scrolling
    sideways.
    """
    found = []
    page.evaluate(_AXE)
    for look, size, scheme, only in (
        ("light", DESK, "light", []), ("dark", DESK, "dark", ["color-contrast"]), ("phone", PHONE, "light", _BY_SIZE),
    ):  # fmt: skip
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found += [f"{look}: {one}" for one in page.evaluate(_RUN, only)]
    width: Any = page.evaluate("document.documentElement.scrollWidth")
    if width > PHONE["width"]:
        found.append(f"phone: {width} pixels wide")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    return found

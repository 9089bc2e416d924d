"""Scripts and styles: each has one address, which changes with its content, and no two import one another."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from tests.support.dashboard import Site
from tollkey.dashboard.view import FOLDER, View

SCRIPTS = sorted((FOLDER / "static").rglob("*.js"))
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
_LOADS = re.compile(r"""<script\b[^>]*\bsrc="([^"]*)"|<link\b[^>]*\brel="stylesheet"[^>]*\bhref="([^"]*)\"""")
_IMPORTS = re.compile(r"""\bimport\s*\(?\s*(?:[\w*{][^"'`;]*?\sfrom\s*)?["'`]([^"'`]+)["'`]""")


def imports(script: Path) -> list[str]:
    return _IMPORTS.findall(script.read_text())


def test_the_ways_to_import_are_all_seen() -> None:
    text = """import "./a.js"; import { x, y as z } from './b.js';
        import * as all from "./c.js"; if (one) import("./d.js");"""
    assert _IMPORTS.findall(text) == ["./a.js", "./b.js", "./c.js", "./d.js"]


def named(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_template_loads_files_by_their_lasting_address_only(template: Path) -> None:
    found = [one or other for one, other in _LOADS.findall(template.read_text())]
    wrong = [address for address in found if not re.fullmatch(r"\{\{ static\('[\w.-]+'\) \}\}", address)]
    assert wrong == []
    assert len(re.findall(r"<script\b", template.read_text())) == len(
        [address for address in found if ".js'" in address]
    )


def test_every_module_has_one_address() -> None:
    view = View()
    addresses: dict[str, set[str]] = {}
    for template in TEMPLATES:
        for name in re.findall(r"\{\{ static\('([\w.-]+\.js)'\) \}\}", template.read_text()):
            addresses.setdefault(name, set()).add(view.static_url(name))
    for script in SCRIPTS:
        for wanted in imports(script):
            assert wanted.startswith("./"), (script.name, wanted)
            address = urljoin(view.static_url(script.name), wanted)
            addresses.setdefault(urlsplit(address).path.rpartition("/")[2], set()).add(address)
    assert set(addresses) == {script.name for script in SCRIPTS}
    assert {name: found for name, found in addresses.items() if len(found) != 1} == {}


def test_no_two_modules_import_one_another() -> None:
    needs = {script.name: {wanted.removeprefix("./") for wanted in imports(script)} for script in SCRIPTS}
    while ready := {name for name, wanted in needs.items() if not wanted & needs.keys()}:
        needs = {name: wanted for name, wanted in needs.items() if name not in ready}
    assert needs == {}


def test_the_address_of_a_file_changes_when_any_of_them_does(tmp_path: Path) -> None:
    for name in ("one.js", "two.js"):
        (tmp_path / "static").mkdir(exist_ok=True)
        (tmp_path / "static" / name).write_text(name)
    before = View(tmp_path).static_url("one.js")
    assert View(tmp_path).static_url("one.js") == before
    (tmp_path / "static" / "two.js").write_text("other")
    assert View(tmp_path).static_url("one.js") != before


def test_a_lasting_address_is_kept_and_one_of_another_edition_is_asked_again(site: Site) -> None:
    browser, address = site.browser(), View().static_url("app.js")
    assert "immutable" in browser.get(address).headers["cache-control"]
    for other in ("/static/0123456789ab/app.js", "/static/app.js"):
        answer = browser.get(other)
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")
    for nowhere in ("/static/0123456789ab/none.js", "/static/../view.py", "/static/0123456789ab/", "/static/"):
        assert browser.get(nowhere).status == 404

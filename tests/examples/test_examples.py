"""Every example runs, and keeps strangers out."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    before = os.environ.get("KEYS_DB")
    os.environ["KEYS_DB"] = str(folder / "keys.db")
    try:
        spec.loader.exec_module(module)
    finally:
        os.environ.pop("KEYS_DB") if before is None else os.environ.update(KEYS_DB=before)
    return module


def ask(app: Any, method: str, path: str, headers: dict[str, str], is_asgi: bool) -> httpx.Response:
    if not is_asgi:
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://host") as client:
            return client.request(method, path, headers=headers)

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("name", "is_asgi"),
    [("fastapi_app", True), ("plain_asgi", True), ("flask_app", False), ("plain_wsgi", False)],
)
def test_an_example_lets_in_who_has_a_key_with_the_permission_and_nobody_else(
    name: str, is_asgi: bool, tmp_path: Path
) -> None:
    module = load(name, tmp_path)
    with module.api.keys if hasattr(module, "api") else module.keys as keys:
        _, text = keys.create("Reader", permissions=["report_read"], account="alice")
        bearer = {"Authorization": f"Bearer {text}"}
        accepted = ask(module.app, "GET", "/reports", bearer, is_asgi)
        assert (accepted.status_code, accepted.json()) == (200, {"reports": [], "account": "alice"})
        strangers = ({}, {"Authorization": "null"}, {"Authorization": "Bearer " + text[:-1]})
        for stranger in strangers:
            refused = ask(module.app, "GET", "/reports", stranger, is_asgi)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer realm=")
        assert ask(module.app, "POST", "/reports", bearer, is_asgi).status_code == 403


def test_the_django_site_lets_in_who_has_a_key_and_nobody_else(tmp_path: Path) -> None:
    """In a process of its own, as Django has one configuration a process."""
    script = """
import os, sys, httpx
from mysite.wsgi import application
from mysite.keys import keys
_, text = keys.create("Reader", permissions=["report_read"], account="alice")
_, weak = keys.create("Other")
with keys, httpx.Client(transport=httpx.WSGITransport(application), base_url="http://host") as client:
    def ask(text): return client.get("/reports", headers={"Authorization": f"Bearer {text}"} if text else {})
    refused = [ask(each).status_code for each in (None, text[:-1], weak)]
    print(client.get("/about").status_code, ask(text).text, *refused)
"""
    paths = os.pathsep.join([str(EXAMPLES / "django_site"), str(EXAMPLES.parent / "src")])
    environment = {**os.environ, "KEYS_DB": str(tmp_path / "keys.db"), "PYTHONPATH": paths}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == '200 {"reports": [], "account": "alice"} 401 401 403\n', done.stderr


def test_the_proof_applications_need_five_lines_of_tollkey_at_most() -> None:
    names = {
        "fastapi": ["fastapi_app.py"],
        "flask": ["flask_app.py"],
        "django": [f"django_site/mysite/{name}.py" for name in ("keys", "settings", "urls", "wsgi")],
    }
    uses = re.compile(r"^(?!\s*#).*(tollkey|TOLLKEY|KeyService|ApiKeys|\bneeds\()", re.M)
    counts = {
        framework: sum(len(uses.findall((EXAMPLES / file).read_text())) for file in files)
        for framework, files in names.items()
    }
    assert max(counts.values()) <= 5, counts
    assert min(counts.values()) > 2, "the pattern finds them"


def test_the_guides_about_proxies_show_the_configurations_that_are_tested() -> None:
    guides = "".join(path.read_text() for path in (EXAMPLES.parent / "docs" / "guides" / "proxies").glob("*.md"))
    files = [path for path in (EXAMPLES / "proxies").rglob("*") if path.is_file()]
    assert len(files) > 6
    assert [path.name for path in files if path.read_text() not in guides] == []


def test_a_key_made_on_the_command_line_opens_the_example(tmp_path: Path) -> None:
    environment = {**os.environ, "KEYS_DB": str(tmp_path / "keys.db"), "PYTHONPATH": str(EXAMPLES.parent / "src")}
    made = subprocess.run(
        [sys.executable, str(EXAMPLES / "make_key.py"), "report_read"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    module = load("plain_wsgi", tmp_path)
    with module.keys:
        assert (
            ask(module.app, "GET", "/reports", {"Authorization": f"Bearer {made.stdout.strip()}"}, False).status_code
            == 200
        )

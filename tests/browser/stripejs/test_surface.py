"""Every member of Stripe.js's own type declarations works, or refuses with an error that names it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import NEWEST, SHOP, installed
from tests.browser.stripejs.shopfront import Shopfront
from tools import make_surface

_SCRIPT = """async ({ key, calls, kinds }) => {
  const stripe = Stripe(key), found = {};
  const options = { mode: 'payment', amount: 100, currency: 'usd' };
  const caught = async (work) => {
    try { await work(); return 'works'; } catch (error) { return error.name + ': ' + error.message; }
  };
  for (const name of calls) found[name] = typeof stripe[name] === 'function' ? 'works' : 'is missing';
  for (const name of given.refused) if (stripe[name]) found[name] = await caught(() => stripe[name]());
  const sdk = stripe.initCheckoutElementsSdk({ clientSecret: given.secret });
  const { actions } = await sdk.loadActions();
  for (const name of given.checkout) found[name] = typeof sdk[name] === 'function' ? 'works' : 'is missing';
  for (const name of given.refused) if (sdk[name]) found[name] = await caught(() => sdk[name]());
  for (const name of given.actions) found[name] = typeof actions[name] === 'function' ? 'works' : 'is missing';
  for (const name of kinds) {
    const make = sdk[`create${name[0].toUpperCase()}${name.slice(1)}Element`];
    found[name] = await caught(() => stripe.elements(options).create(name));
    if (make && / belongs to /.test(found[name])) found[name] = await caught(() => make());
  }
  const all = stripe.elements(options), card = all.create('card');
  found.elements_lacks = given.group.filter((name) => typeof all[name] !== 'function');
  found.element_lacks = given.element.filter((name) => typeof card[name] !== 'function');
  found.every = Object.getOwnPropertyNames(Object.getPrototypeOf(stripe));
  return found;
}""".replace("{ key, calls, kinds }", "given").replace(
    "const stripe", "const { key, calls, kinds } = given; const stripe"
)


@pytest.fixture(scope="module")
def surface() -> make_surface.Surface:
    return make_surface.declared(installed(*NEWEST))


def test_the_table_in_the_docs_is_that_of_the_declarations(surface: make_surface.Surface) -> None:
    shown = make_surface.TARGET.read_text(encoding="utf-8")
    version = f"`@stripe/stripe-js` {surface.package}"
    assert make_surface.page(surface).replace(version, "") == _without_version(shown), "run tools/make_surface.py"


def _without_version(text: str) -> str:
    """The page without the version that it was written for: a newer one with the same members changes nothing."""
    before, _, rest = text.partition("`@stripe/stripe-js` ")
    return before + rest[len(rest.split()[0].rstrip(".")) :]


def test_every_member_does_what_the_table_says(
    chromium: Browser, shared_server: Running, surface: make_surface.Surface, tmp_path: Path
) -> None:
    refused = make_surface.refused()
    head = '<script src="https://js.stripe.com/endive/stripe.js"></script>'
    with Shopfront(chromium, shared_server, (SHOP / "plain.js").read_bytes(), head=head) as shop:
        made = shop.post("/v1/checkout/sessions", mode="setup", ui_mode="elements", currency="usd",
                         return_url="https://shop.example/")  # fmt: skip
        shop.open()
        given = {
            "key": shop.server.publishable_key, "calls": surface.calls, "kinds": surface.kinds,
            "checkout": surface.checkout, "actions": surface.actions, "secret": made["client_secret"],
            "refused": [*refused], "group": surface.group, "element": surface.element,
        }  # fmt: skip
        found = shop.page.evaluate(_SCRIPT, given)
    assert (found.pop("elements_lacks"), found.pop("element_lacks")) == ([], [])
    every = found.pop("every")
    wrong = {
        name: said
        for name, said in found.items()
        if (said != "works" if name not in refused else not said.startswith("IntegrationError: ") or name not in said)
    }
    assert wrong == {}
    _is_a_stripe(every, tmp_path)


def _is_a_stripe(members: list[str], folder: Path) -> None:
    """TypeScript finds no member of its ``Stripe`` missing from the names that the object has in the browser."""
    names = json.dumps(dict.fromkeys(members, True))
    (folder / "check.ts").write_text(
        "import type { Stripe } from '@stripe/stripe-js';\n"
        f"const ours = {names};\n"
        "export const all: Record<Exclude<keyof Stripe, keyof typeof ours>, never> = {};\n"
    )
    home = installed(*NEWEST) / "node_modules"
    (folder / "node_modules").symlink_to(home)
    words = [home / ".bin" / "tsc", "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler"]
    words += ["--module", "esnext", "--target", "es2022", folder / "check.ts"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout

"""The built-in docs: guides, API reference, search. For signed-in people, examples contain their own test keys.

Pages are sent with ``Cache-Control: no-store``, so that keys are not cached. Signed out, examples contain sample keys,
which are generated at run time.
"""

from __future__ import annotations

from functools import cache, lru_cache

from tollkey.dashboard import roles
from tollkey.dashboard.page import Answer, Context, Nav, NotFound, Page, Params, Render
from tollkey.dashboard.reference import LANGUAGES, page_of, resources_shown
from tollkey.dashboard.reference import guides as guide_room
from tollkey.dashboard.reference.guides import GUIDES, KeyPair, example_html
from tollkey.dashboard.reference.pages import title_of
from tollkey.dashboard.reference.search import Index, Section
from tollkey.dashboard.reference.tables import tables_for
from tollkey.db import Ids
from tollkey.wire.resource import Catalogue

_SAMPLE_BODY = 24  # characters of a sample key after its prefix


@cache
def sample_keys() -> KeyPair:
    """Sample keys in the format of real ones."""
    ids = Ids.seeded(20_24)
    return KeyPair("pk" + "_test_" + ids.text(_SAMPLE_BODY), "sk" + "_test_" + ids.text(_SAMPLE_BODY), False)


def keys_for(ctx: Context) -> KeyPair:
    """The test keys of the reader's account, if their role allows it; otherwise sample keys."""
    if ctx.person is None or ctx.member is None or not roles.allows(ctx.member.role, "keys.reveal", False):
        return sample_keys()
    found = ctx.authority.default_test_texts(ctx.tx, ctx.member.account, ctx.now)
    if "secret" not in found or "publishable" not in found:
        return sample_keys()
    return KeyPair(found["publishable"], found["secret"], True)


def _menu(catalogue: Catalogue) -> dict[str, object]:
    return {
        "guides": [(slug, guide_room.title_of(slug)) for slug in GUIDES],
        "resources": [(resource.object, title_of(resource)) for resource in resources_shown(catalogue)],
    }


def index(ctx: Context, params: Params) -> Answer:
    """Show the index of the docs."""
    leads = [(slug, guide_room.title_of(slug), guide_room.lead_of(slug)) for slug in GUIDES]
    return Render(
        "docs/index.html", {**_menu(ctx.setup.tables.catalogue), "leads": leads, "keys": keys_for(ctx), "here": ""}
    )


def guide(ctx: Context, params: Params) -> Answer:
    """Show a guide."""
    if params["guide"] not in GUIDES:
        raise NotFound
    catalogue, keys = ctx.setup.tables.catalogue, keys_for(ctx)
    made = guide_room.render(catalogue, tables_for(catalogue), params["guide"], keys, ctx.base_url)
    return Render("docs/guide.html", {**_menu(catalogue), "guide": made, "keys": keys, "here": made.slug})


def reference(ctx: Context, params: Params) -> Answer:
    """Show the API reference of a resource."""
    catalogue, keys = ctx.setup.tables.catalogue, keys_for(ctx)
    resource = catalogue.by_object.get(params["object"])
    if resource is None or resource not in resources_shown(catalogue):
        raise NotFound
    page = page_of(catalogue, resource)
    examples = [
        example_html(one.request, keys, ctx.base_url, f"example-{place}") for place, one in enumerate(page.operations)
    ]
    context = {
        **_menu(catalogue),
        "page": page,
        "examples": examples,
        "keys": keys,
        "here": resource.object,
        "languages": LANGUAGES,
    }
    return Render("docs/reference.html", context)


@lru_cache(maxsize=4)
def index_of(catalogue: Catalogue) -> Index:
    """The search index of guides and API reference. It contains no keys."""
    sections = guide_room.sections()
    for resource in resources_shown(catalogue):
        page = page_of(catalogue, resource)
        url = f"/docs/api/{resource.object}"
        names = " ".join(one.name for one in page.properties if one.depth == 0)
        sections.append(Section(url, page.title, "API reference", f"{resource.object}: {names}"))
        for one in page.operations:
            sent = " ".join(row.name for row in one.parameters if row.depth == 0)
            text = f"{one.method} {one.path} {one.about} Permission {one.permission}. {sent}"
            sections.append(Section(f"{url}#{one.anchor}", one.title, page.title, text))
    return Index(sections)


def search(ctx: Context, params: Params) -> Answer:
    """Search the docs."""
    query = params.get("q")[:100]
    catalogue = ctx.setup.tables.catalogue
    hits = index_of(catalogue).find(query)
    return Render(
        "docs/search.html", {**_menu(catalogue), "query": query, "hits": hits, "keys": sample_keys(), "here": ""}
    )


PAGES = (
    Page("/docs", index, scope="open", nav=Nav("Help", "Docs", 10)),
    Page("/docs/search", search, scope="open"),
    Page("/docs/{guide}", guide, scope="open"),
    Page("/docs/api/{object}", reference, scope="open"),
)

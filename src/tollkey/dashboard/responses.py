"""HTTP responses from the answers of handlers: pages with their sidebar, redirects, JSON, downloads, static files."""

from __future__ import annotations

import logging

import orjson

from tollkey.dashboard import guard, sessions
from tollkey.dashboard.page import Answer, Context, Data, File, Page, Redirect, Render
from tollkey.dashboard.routing import PageRequest, PageResponse, Routes, parse_path
from tollkey.dashboard.view import View, etag

log = logging.getLogger("tollkey.dashboard")

_NOTICE_SECONDS = 60
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
}


def error_page(ctx: Context, status: int, title: str, text: str) -> Answer:
    """An error as an HTML page, or as JSON when a script sent the request. status: HTTP status."""
    if ctx.wants_json:
        return Data({"error": str(status), "message": f"{title}. {text}"}, status)
    return Render("error.html", {"title": title, "text": text}, status)


class Responses:
    """Builds HTTP responses."""

    def __init__(self, view: View, routes: Routes) -> None:
        self._view, self._routes = view, routes

    def static_file(self, request: PageRequest, name: str) -> PageResponse:
        """A file below ``static/``, with its ETag. name: the path after ``/static/``."""
        body, immutable = self._view.static_file(name)
        common = list(guard.headers(request.secure).items())
        if body is None or request.method != "GET":
            return PageResponse(404, [*common, ("Content-Type", "text/plain")], b"No such file.\n")
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        cache = "max-age=31536000, immutable" if immutable else "no-cache"
        headers = [*common, ("Content-Type", kind), ("ETag", etag(body)), ("Cache-Control", cache)]
        if request.headers.get("if-none-match") == etag(body):
            return PageResponse(304, headers, b"")
        return PageResponse(200, headers, body)

    def respond(
        self, ctx: Context, answer: Answer, cookies: dict[str, str], extra: list[tuple[str, str]]
    ) -> PageResponse:
        """The response for a handler's answer.

        cookies: the cookies of the request, by short name. extra: headers to add.
        """
        headers = [*guard.headers(ctx.secure).items(), ("Cache-Control", "no-store"), *extra]
        if isinstance(answer, Redirect | Data) and answer.session is not None:
            life = sessions.LIFE_SECONDS if answer.session else 0
            headers.append(("Set-Cookie", guard.set_cookie("session", answer.session, ctx.secure, life)))
        if isinstance(answer, Redirect):
            headers += [("Location", answer.to), ("Content-Type", "text/plain")]
            if answer.notice:
                headers.append(("Set-Cookie", guard.set_cookie("notice", answer.notice, ctx.secure, _NOTICE_SECONDS)))
            return PageResponse(303, headers, b"")
        if isinstance(answer, Data):
            return PageResponse(
                answer.status, [*headers, ("Content-Type", "application/json")], orjson.dumps(answer.value)
            )
        if isinstance(answer, File):
            disposition = ("Content-Disposition", f'attachment; filename="{answer.name}"')
            return PageResponse(200, [*headers, ("Content-Type", answer.content_type), disposition], answer.body)
        if cookies.get("notice"):
            headers.append(("Set-Cookie", guard.set_cookie("notice", "", ctx.secure, 0)))
        body, status = self._render(ctx, answer, cookies.get("notice", ""))
        return PageResponse(status, [*headers, ("Content-Type", "text/html; charset=utf-8")], body)

    def _render(self, ctx: Context, page: Render, notice: str) -> tuple[bytes, int]:
        """The HTML and the status; an error page with 500 when the template fails."""
        context = {"ctx": ctx, "notice": notice, "nav": self._sidebar(ctx), **page.context}
        try:
            return self._view.render(page.template, context), page.status
        except Exception:
            log.exception("template %s", page.template)
            error = {"title": "Something went wrong", "text": "Details are in the server log."}
            return self._view.render("error.html", {"ctx": ctx, "notice": "", "nav": [], **error}), 500

    def _sidebar(self, ctx: Context) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """Sections of the sidebar with their entries: label, address, whether it is the current page.

        The API keys are listed for every member: without permission their page names the owner to ask.
        """
        if ctx.person is None:
            return []
        sections: dict[str, list[tuple[str, str, bool]]] = {}
        path = parse_path(ctx.path).path
        current = max(self._routes.sidebar, key=lambda page: _match_length(page, path), default=None)
        if current is not None and not _match_length(current, path):
            current = None
        for page in self._routes.sidebar:
            assert page.nav is not None
            of_account = page.scope in ("mode", "account")
            if of_account and not (ctx.may(page.action) or (ctx.member is not None and page.path == "/apikeys")):
                continue
            entry = (page.nav.label, ctx.url(page.path), page is current)
            sections.setdefault(ctx.product.section(page.nav.section), []).append(entry)
        return list(sections.items())


def _match_length(page: Page, path: str) -> int:
    """How many characters of a path are covered by a sidebar entry; 0 when the path is not below the entry."""
    prefixes = (page.path, page.nav.also if page.nav else "")
    return max(
        len(prefix) if prefix and (path == prefix or path.startswith(prefix + "/")) else 0 for prefix in prefixes
    )

"""The upstream account: its key, the calls that were passed on to it, and the calls that wait for a person.

Nobody is shown the key of the upstream account again. It is tried outside of a transaction, by its own connection.
"""

from __future__ import annotations

from typing import Any

from tollkey.dashboard import activity, caps
from tollkey.dashboard.page import (
    Answer,
    Confirmation,
    Context,
    FormErrors,
    Nav,
    NotFound,
    Page,
    Params,
    Redirect,
    Render,
    required,
)
from tollkey.db import Tx
from tollkey.keys import Key
from tollkey.keys.errors import SealBroken
from tollkey.keys.token import redact
from tollkey.payments.processors import backends
from tollkey.platform import request_logs
from tollkey.upstream import Upstream, connecting, spending, states, store
from tollkey.upstream.connecting import NotConnected
from tollkey.upstream.probing import KeyNotTaken, ProbeFailed, mode_of, probe_once, probe_stored
from tollkey.upstream.spending import Approval
from tollkey.upstream.store import Hosts, Passed, hosts_of

_PAGE = 50
_MOST_WAITING = 100  # calls that wait for a person, on the page
_USUAL = "https://api.stripe.com"
#: State of a call -> label and tone of its badge.
STATES = {
    "sent": ("no answer yet", "warn"),
    "answered": ("answered", "good"),
    "not_sent": ("not sent", ""),
    "unknown": ("unknown outcome", "bad"),
    "dry_run": ("dry run", "info"),
}


def index(ctx: Context, params: Params) -> Answer:
    """Show the upstream account, the calls that wait for approval, and the calls that were passed on."""
    unknown, after = params.get("outcome") == "unknown", params.get("after") or None
    if after is not None and store.call(ctx.tx, ctx.scope, after) is None:
        raise NotFound
    found = store.calls(ctx.tx, ctx.scope, limit=_PAGE + 1, state="unknown" if unknown else None, after=after)
    waiting = spending.approvals(ctx.tx, ctx.scope, state="pending", limit=_MOST_WAITING)
    kept: dict[str, Any] = {"outcome": "unknown" if unknown else None}
    about = {
        "upstream": states.of(ctx.tx, ctx.scope),
        "calls": found[:_PAGE],
        "waiting": waiting,
        "keys": _keys(ctx, [*found, *waiting]),
        "logged": {one.id for one in found if _is_logged(ctx, one)},
        "unknown": unknown,
        "older": ctx.url("/upstream", after=found[_PAGE - 1].id, **kept) if len(found) > _PAGE else "",
        "newest": ctx.url("/upstream", **kept) if after else "",
        "moved": caps.moved,
        "caps": caps.LABELS,
        "states": STATES,
    }
    return Render("upstream/index.html", about)


def _keys(ctx: Context, calls: list[Passed | Approval]) -> dict[str, Key]:
    found = {id: ctx.authority.get(ctx.tx, ctx.scope, id) for id in {one.key_id for one in calls}}
    return {id: key for id, key in found.items() if key is not None}


def _is_logged(ctx: Context, one: Passed) -> bool:
    """Whether the request log has a call. That of a process that was killed meanwhile is lost."""
    return one.state not in ("sent", "unknown") or request_logs.one(ctx.tx, ctx.scope, one.id) is not None


# -- the account


def form(ctx: Context, params: Params) -> Answer:
    """Show the form for an upstream account, or for another key of it."""
    present = states.of(ctx.tx, ctx.scope)
    return Render("upstream/connect.html", {"upstream": present, "url": present.api if present else _USUAL})


async def connect(ctx: Context, params: Params) -> Answer:
    """Try a key, and store it if it is taken."""
    hosts, key = _typed(ctx, params)
    await ctx.read(lambda tx: None)  # whether the person still may, before anything is sent
    try:
        found = await probe_once(hosts, key)
    except KeyNotTaken as problem:
        raise FormErrors(key=_sentence(problem)) from None
    except ProbeFailed as problem:
        raise FormErrors(url=_sentence(problem)) from None

    def keep(tx: Tx) -> bool:
        if backends.of(tx, ctx.scope) is not None:
            raise FormErrors(url="Live payments of this account go through a processor. Disconnect it first.")
        try:
            first = connecting.connect(tx, ctx.authority.keyring, ctx.scope, hosts, found, key, ctx.now)
        except NotConnected as problem:
            raise FormErrors(key=_sentence(problem)) from None
        done = "upstream_connected" if first else "upstream_key_stored"
        _record(tx, ctx, done, found.account or "", url=hosts.api, key=redact(key))
        return first

    first = await ctx.write(keep, lock=ctx.scope.name)
    said = f"Connected to {found.account or hosts.api}." if first else "The new key is stored."
    return Redirect(ctx.url("/upstream"), said)


def _typed(ctx: Context, params: Params) -> tuple[Hosts, str]:
    errors, key, hosts = {}, params.get("key"), None
    try:
        hosts = hosts_of(params.get("url"))
    except ValueError as problem:
        errors["url"] = _sentence(problem)
    try:
        livemode = mode_of(key)
        if livemode != ctx.livemode:
            mine, other = ("live", "test") if ctx.livemode else ("test", "live")
            errors["key"] = f"This is a key of {other} mode. Here a key of {mine} mode is needed, or change the mode."
    except ProbeFailed:
        errors["key"] = f"Enter a secret or restricted key: {_beginnings(ctx)}."
    if errors or hosts is None:
        raise FormErrors(errors)
    return hosts, key


def _beginnings(ctx: Context) -> str:
    return "sk_live_… or rk_live_…" if ctx.livemode else "sk_test_… or rk_test_…"


def _sentence(problem: Exception) -> str:
    text = str(problem)
    return f"{text if text.startswith(('http', 'acct_')) else text[:1].upper() + text[1:]}."


def _record(tx: Tx, ctx: Context, action: str, about: str, **details: Any) -> None:
    mode = "live" if ctx.livemode else "test"
    activity.record(tx, ctx, ctx.account, action, about=about, mode=mode, **details)


async def try_key(ctx: Context, params: Params) -> Answer:
    """Ask the upstream account whether it takes the stored key."""
    found = await ctx.read(lambda tx: _find(tx, ctx))
    try:
        await probe_stored(found)
    except KeyNotTaken as problem:
        await ctx.write(lambda tx: store.note_use(tx, ctx.scope, ctx.now, taken=False))
        raise FormErrors({"": _sentence(problem)}) from None
    except ProbeFailed as problem:
        raise FormErrors({"": _sentence(problem)}) from None
    await ctx.write(lambda tx: store.note_use(tx, ctx.scope, ctx.now, taken=True))
    return Redirect(ctx.url("/upstream"), f"{found.hosts.api} takes the key.")


def _find(tx: Tx, ctx: Context) -> Upstream:
    try:
        found = store.find(tx, ctx.authority.keyring, ctx.scope)
    except SealBroken:
        raise FormErrors({"": "The stored key cannot be unsealed with this keyring. Store it again."}) from None
    if found is None:
        raise FormErrors({"": "No upstream account is connected in this mode."})
    return found


def confirm_disconnect(ctx: Context, params: Params) -> Confirmation | None:
    """The confirmation for disconnecting."""
    found = states.of(ctx.tx, ctx.scope)
    if found is None:
        return None
    text = (
        f"No more calls are passed on to {found.id or found.api}, and its key is deleted here. This server answers the"
        " calls of this mode by itself again. The list of calls stays."
    )
    return Confirmation("Disconnect", text)


def disconnect(ctx: Context, params: Params) -> Answer:
    """Pass no more calls on, and delete the stored key."""
    found = states.of(ctx.tx, ctx.scope)
    if found is None:
        return Redirect(ctx.url("/upstream"), "No upstream account is connected in this mode.")
    store.disconnect(ctx.tx, ctx.scope)
    _record(ctx.tx, ctx, "upstream_disconnected", found.id or "", url=found.api, key=found.shown)
    return Redirect(ctx.url("/upstream"), "The upstream account is disconnected, and its key is deleted here.")


# -- calls that wait for a person


def _waiting(ctx: Context, params: Params) -> Approval:
    found = spending.approval(ctx.tx, ctx.scope, params["approval"])
    if found is None:
        raise NotFound
    return found


def confirm_approve(ctx: Context, params: Params) -> Confirmation | None:
    """The confirmation for approving a call."""
    one = _waiting(ctx, params)
    text = (
        f"{one.method} {one.path} may move {caps.moved(one.amount, one.currency)} ({one.kind}), above a cap of its key."
        " It is sent once its caller repeats it."
    )
    return Confirmation("Approve call", text)


def confirm_refuse(ctx: Context, params: Params) -> Confirmation | None:
    """The confirmation for refusing a call."""
    one = _waiting(ctx, params)
    return Confirmation(
        "Refuse call",
        f"{one.method} {one.path}, which moves {caps.moved(one.amount, one.currency)} ({one.kind}), is not sent.",
    )


def approve(ctx: Context, params: Params) -> Answer:
    """Approve a call above a cap: it is sent when its caller repeats it."""
    return _decide(ctx, params, "approved")


def refuse(ctx: Context, params: Params) -> Answer:
    """Refuse a call above a cap."""
    return _decide(ctx, params, "refused")


def _decide(ctx: Context, params: Params, state: str) -> Answer:
    one = _waiting(ctx, params)
    if not spending.decide(ctx.tx, ctx.scope, one.id, state, str(ctx.actor), ctx.now):
        return Redirect(ctx.url("/upstream"), f"Somebody has decided about this call already: it was {one.state}.")
    moves = caps.moved(one.amount, one.currency)
    _record(ctx.tx, ctx, f"upstream_call_{state}", one.id, call=f"{one.method} {one.path}", moves=moves, key=one.key_id)
    return Redirect(ctx.url("/upstream"), f"The call is {state}.")


_KEY = required("whoever holds the key decides about the money of the account")
_SENDS = required("the key of the account is sent to the upstream server")
_ENDS = required("calls stop reaching the upstream account")
_MONEY = required("money moves that the cap of a key holds back")
_PATH = "/upstream/approvals/{approval}"

PAGES = (
    Page("/upstream", index, action="upstream.see", nav=Nav("Developers", "Upstream", 55)),
    Page("/upstream/connect", form, action="upstream.change", recent_sign_in=_KEY),
    Page(
        "/upstream/connect",
        connect,
        method="POST",
        action="upstream.change",
        recent_sign_in=_KEY,
        redisplay=form,
    ),
    Page("/upstream/test", try_key, method="POST", action="upstream.change", recent_sign_in=_SENDS, redisplay=index),
    Page(
        "/upstream/disconnect",
        disconnect,
        method="POST",
        action="upstream.change",
        recent_sign_in=_ENDS,
        confirmation=confirm_disconnect,
        redisplay=index,
    ),
    Page(
        f"{_PATH}/approve",
        approve,
        method="POST",
        action="upstream.change",
        recent_sign_in=_MONEY,
        confirmation=confirm_approve,
        redisplay=index,
    ),
    Page(
        f"{_PATH}/refuse",
        refuse,
        method="POST",
        action="upstream.change",
        recent_sign_in=required("the decision cannot be taken back"),
        confirmation=confirm_refuse,
        redisplay=index,
    ),
)

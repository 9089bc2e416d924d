"""``POST /v1/portal_sessions``: a page or component on which a customer manages keys of one account."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from tollkey.keys.http.answer import Answer, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint
from tollkey.keys.http.errors import invalid
from tollkey.keys.http.fields import Field
from tollkey.keys.http.objects import livemode_of
from tollkey.keys.key import SERVICE_ACCOUNT
from tollkey.keys.portal import Portal


def endpoints(portal: Portal) -> tuple[Endpoint, ...]:
    """Return the endpoints that create sessions of a portal."""

    async def create(call: Call) -> Answer:
        """Create a session, and return its one-time URL or its token."""
        sent = call.body
        account, livemode = sent.text("account") or "", livemode_of(call.server, sent.text("environment"))
        if account == SERVICE_ACCOUNT:
            raise invalid("This account has the service keys; no customer manages them.", "account")

        def work() -> Answer:
            session = portal.create_session(
                account=account,
                livemode=livemode,
                may=sent.texts("may") or ("create", "roll", "revoke"),
                permissions=sent.texts("permissions") or (),
                return_url=sent.text("return_url"),
                ui_mode=sent.text("ui_mode") or "hosted",
                actor=call.actor,
                check=call.current_caller,
            )
            shown = {"url": session.url} if session.url is not None else {"token": session.token}
            common = {"id": session.id, "object": "portal_session", "ui_mode": session.ui_mode}
            return json_answer({**common, "account": account, "expires_at": session.expires_at, **shown})

        return await run_in_threadpool(work)

    return (
        Endpoint(
            "POST",
            "/v1/portal_sessions",
            create,
            "portal_write",
            "Create a session in which a customer manages keys",
            "portal_session",
            body={
                "account": Field("string", "Your name for the customer.", required=True),
                "environment": Field("string", "Of the keys. [live]"),
                "may": Field("strings", "Any of `create`, `roll` and `revoke`. [all]", most=3),
                "permissions": Field("strings", "The grants that its keys can have.", most=1_000),
                "return_url": Field("string", "Where the page leads back to.", most=2_000),
                "ui_mode": Field("string", "`hosted` or `component`. [hosted]", choices=("hosted", "component")),
            },
        ),
    )

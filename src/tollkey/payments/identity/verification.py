"""Verification sessions, in which a person proves their identity, and their reports.

    requires_input ──page: verified──▶ processing ──▶ verified ──redact──▶ (redaction: redacted)
          ▲  │      ──page: an error──▶ processing ──▶ requires_input (last_error)
          │  └──cancel──▶ canceled ──redact──▶ (redaction: redacted)
          └──update (options, metadata)

In test mode nothing is checked: the session's page offers every outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.documents import brand
from tollkey.payments.identity import jobs, states
from tollkey.payments.identity.checks import ERRORS, REPORT, make_report, redact_report, verified_outputs
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, P, Reply, Resource, invalid, languages, new_object
from tollkey.wire.errors import missing_object, missing_param
from tollkey.wire.hosted import hosted_url, redirect
from tollkey.wire.kinds import Kind
from tollkey.wire.live import needs, records
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.payments.identity.stored import StoredVerificationSession
    from tollkey.wire import api, operations

PERMISSION = Permission("identity_product", "Verification Sessions and Reports", "Identity")
SESSION: Kind[StoredVerificationSession] = Kind("identity.verification_session")
_CUSTOMER: Kind[api.Customer] = Kind("customer")
_PERSON: Kind[api.Person] = Kind("person")


def _options(kind: str, given: Mapping[str, Any] | None) -> api.GelatoVerificationSessionOptions:
    """Return ``options`` of a type of session. Raises ApiError 400 for those of another type."""
    if kind == "id_number":
        if (given or {}).get("document"):
            raise invalid(
                "`options[document]` is only for a VerificationSession of type document.", "options[document]"
            )
        return {"id_number": {}}
    asked = (given or {}).get("document") or {}
    document: api.GelatoSessionDocumentOptions = {}
    fields.assign(document, asked, asked)
    return {"document": document}


def _related_person(
    call: Call, given: operations.PostIdentityVerificationSessionsRelatedPerson | None
) -> api.GelatoRelatedPerson | None:
    """Return ``related_person``. Raises ApiError 400 for an unknown account, or a person of another one.

    A connected account knows no other account of its platform.
    """
    if given is None:
        return None
    account, person = given["account"], given["person"]
    others = call.within(call.platform).objects if call.account == call.platform else None
    if account != call.account and (others is None or others.find(fields.ACCOUNT, account) is None):
        raise missing_object("account", account, "related_person[account]", in_path=False)
    found = call.within(call.platform).objects.find(_PERSON, person)
    if found is None or found["account"] != account:
        raise missing_object("person", person, "related_person[person]", in_path=False)
    return {"account": account, "person": person}


def create(call: Call, params: operations.PostIdentityVerificationSessions) -> StoredVerificationSession:
    """Create a session; its ``url`` and ``client_secret`` are valid for 48 hours."""
    kind = params.get("type") or ("verification_flow" if params.get("verification_flow") else None)
    if kind is None:
        raise missing_param("type")
    if params.get("related_customer"):
        call.objects.get(_CUSTOMER, params["related_customer"], "related_customer")
    related = _related_person(call, params.get("related_person"))
    id = call.ids.new("vs")
    session = new_object(
        SESSION,
        id=id,
        created=call.now,
        livemode=call.livemode,
        status=states.SESSION.start("requires_input"),
        type=kind,
        options=_options(kind, params.get("options")),
        metadata=fields.new_metadata(params),
        client_secret=f"{id}_secret_{call.ids.text(24)}",
        client_reference_id=params.get("client_reference_id"),
        related_customer=params.get("related_customer"),
        provided_details=params.get("provided_details"),
        url=hosted_url(call, "verify", id, expires_at=call.now + 48 * 3600),
    )
    if related is not None:
        session["related_person"] = related
    if params.get("verification_flow"):
        session["verification_flow"] = params["verification_flow"]
    session["_return_url"] = params.get("return_url")
    return call.objects.insert(session, "identity.verification_session.created")


def _session(call: Call) -> StoredVerificationSession:
    return call.objects.get(SESSION, call.path["session"])


def update(call: Call, params: operations.PostIdentityVerificationSessionsSession) -> StoredVerificationSession:
    """Change a session that requires input."""
    session = _session(call)
    if session["status"] != "requires_input":
        raise invalid(
            f"You cannot update this VerificationSession because it has a status of {session['status']}.", retry=False
        )
    if params.get("type"):
        session["type"] = params["type"]
    if params.get("options") is not None:
        session["options"] = _options(session["type"], params["options"])
    elif params.get("type"):
        session["options"] = _options(session["type"], session["options"] if session["type"] == "document" else None)
    fields.assign(session, params, ("provided_details",))
    fields.merge_metadata(session, params)
    return call.objects.save(session)


def _close(session: StoredVerificationSession) -> None:
    session["client_secret"] = session["url"] = None


def cancel(call: Call, params: operations.PostIdentityVerificationSessionsSessionCancel) -> StoredVerificationSession:
    """Cancel a session that requires input."""
    session = _session(call)
    if session["status"] != "requires_input":
        raise invalid(
            f"You cannot cancel this VerificationSession because it has a status of {session['status']}."
            f" Only a VerificationSession"
            " with a status of requires_input can be canceled.",
            retry=False,
        )
    states.SESSION.set(session, "canceled")
    _close(session)
    call.objects.save(session)
    call.emit("identity.verification_session.canceled", session)
    return session


def redact(call: Call, params: operations.PostIdentityVerificationSessionsSessionRedact) -> StoredVerificationSession:
    """Remove the collected data of a session; its ``redaction`` becomes ``redacted``."""
    session = _session(call)
    if session["status"] == "processing":
        raise invalid("You cannot redact this VerificationSession because it has a status of processing.", retry=False)
    if session["redaction"] is not None:
        raise invalid("This VerificationSession has already been redacted.", retry=False)
    canceled = False
    if session["status"] == "requires_input":
        states.SESSION.set(session, "canceled")
        canceled = True
    _close(session)
    session["redaction"] = {"status": "redacted"}
    session["metadata"] = {}
    session.pop("verified_outputs", None)
    if session["provided_details"]:
        details = session["provided_details"]
        fields.assign(details, dict.fromkeys(details, "[redacted]"), list(details))
    for report in call.objects.query(REPORT, {"verification_session": session["id"]}):
        redact_report(report)
        call.objects.save(report)
    call.objects.save(session)
    if canceled:
        call.emit("identity.verification_session.canceled", session)
    call.emit("identity.verification_session.redacted", session)
    return session


# -- the page


def page(call: Call, params: operations.GetVerifyToken) -> Reply:
    """Show the page of a session, on which the outcome is chosen."""
    session = call.objects.get(SESSION, call.path["id"])
    language = languages.choose(call)
    say = language.say
    if session["status"] != "requires_input":
        return brand.closing(call, language, say("Nothing to do"))
    choices = "\n".join(
        f'<option value="{code}">{escape(say(reason))}</option>'
        for code, (check, reason) in ERRORS.items()
        if check in _checks(session)
    )
    last = session["last_error"]
    told = say("Last attempt: {reason}", reason=say(last["reason"] or "")) if last else ""
    error = f'<p class="error" role="alert">{escape(told)}</p>' if told else ""
    test = say("This is a test. No document is asked for and nothing is checked: choose how the verification ends.")
    body = f"""<p>{escape(test)}</p>
{error}
<form method="post" action="{escape(call.origin.path)}">
<label for="outcome">{escape(say("Outcome"))}</label>
<select id="outcome" name="outcome">
<option value="verified">{escape(say("Verified"))}</option>
{choices}
</select>
<button>{escape(say("Finish"))}</button>
</form>"""
    return brand.page(call, language, say("Verify your identity"), body, leads_to=session.get("_return_url"))


def _checks(session: StoredVerificationSession) -> list[str]:
    if session["type"] == "id_number":
        return ["any", "id_number"]
    wanted = (session["options"] or {}).get("document") or {}
    checks = ["any", "document"]
    if wanted.get("require_matching_selfie"):
        checks.append("selfie")
    if wanted.get("require_id_number"):
        checks.append("id_number")
    return checks


def choose(call: Call, params: operations.PostVerifyToken) -> Reply:
    """Store the chosen outcome: the session is processing, and is decided a second later."""
    session = call.objects.get(SESSION, call.path["id"])
    if session["status"] != "requires_input":
        return page(call, params)
    outcome = params["outcome"]
    if outcome != "verified" and outcome not in ERRORS:
        raise invalid("Unknown outcome", "outcome")
    states.SESSION.set(session, "processing")
    session["_outcome"] = outcome
    session["last_error"] = None
    call.objects.save(session)
    call.emit("identity.verification_session.processing", session)
    call.schedule.add(call.now + 1, jobs.VERIFICATION, session["id"])
    if session["_return_url"]:
        return redirect(session["_return_url"])
    language = languages.choose(call)
    told = language.say("The verification is being processed. You can close this page.")
    return brand.page(call, language, language.say("Thank you."), f"<p>{escape(told)}</p>")


def decide(call: Call, id: str) -> None:
    """End the processing of a session with the chosen outcome."""
    session = call.objects.get(SESSION, id)
    if session["status"] != "processing":
        return
    outcome = session.pop("_outcome", "verified")
    checks = _checks(session)
    report = None
    if outcome == "verified" or ERRORS[outcome][0] != "any":
        report = make_report(call, session, checks, outcome)
        session["last_verification_report"] = report["id"]
    if outcome == "verified":
        states.SESSION.set(session, "verified")
        session["verified_outputs"] = verified_outputs(checks)
        _close(session)
    else:
        states.SESSION.set(session, "requires_input")
        session["last_error"] = {"code": outcome, "reason": ERRORS[outcome][1]}
    call.objects.save(session)
    call.emit(
        "identity.verification_session.verified"
        if outcome == "verified"
        else "identity.verification_session.requires_input",
        session,
    )


_OUTCOME = P.object(required=("outcome",), outcome=P.string())

VERIFICATION_SESSION = Resource(
    object="identity.verification_session",
    prefix="vs",
    permission=PERMISSION,
    reveals={"client_secret": "read", "url": "read"},
    live=records(),
    label="verification session",
    path_param="session",
    indexed=("status", "client_reference_id", "related_customer"),
    endpoints=(
        Endpoint("POST", "/v1/identity/verification_sessions", create, live=needs(providers.IDENTITY)),
        listing("identity.verification_session", "/v1/identity/verification_sessions"),
        retrieve("identity.verification_session", "/v1/identity/verification_sessions/{session}"),
        Endpoint("POST", "/v1/identity/verification_sessions/{session}", update, live=needs(providers.IDENTITY)),
        Endpoint("POST", "/v1/identity/verification_sessions/{session}/cancel", cancel),
        Endpoint("POST", "/v1/identity/verification_sessions/{session}/redact", redact),
        Endpoint("GET", "/verify/{token}", page, public=True, params=P.object(), live=needs(providers.IDENTITY)),
        Endpoint("POST", "/verify/{token}", choose, public=True, params=_OUTCOME, live=needs(providers.IDENTITY)),
    ),
    due_live={jobs.VERIFICATION: needs(providers.IDENTITY)},
    on_due={jobs.VERIFICATION: decide},
    title="Verification sessions",
    columns=("status", "type", "id", "created"),
)

VERIFICATION_REPORT = Resource(
    object="identity.verification_report",
    prefix="vr",
    permission=PERMISSION,
    label="verification report",
    path_param="report",
    indexed=("type", "verification_session", "client_reference_id"),
    endpoints=(
        listing("identity.verification_report", "/v1/identity/verification_reports"),
        retrieve("identity.verification_report", "/v1/identity/verification_reports/{report}"),
    ),
    title="Verification reports",
)

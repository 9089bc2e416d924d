"""Scheduled jobs that failed or are retried: list, run, discard."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.dashboard import activity
from tollkey.dashboard.acting import ELSEWHERE
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
    not_required,
    required,
)
from tollkey.db import Scope
from tollkey.platform.connections import platform_of
from tollkey.wire import Call
from tollkey.wire.jobs import FailingJob, Schedule, accounts_with_failing_jobs, failing_jobs, find_failing_job, run_job
from tollkey.wire.kinds import Job

_CLOCK = "test_helpers.test_clock"


class Line(NamedTuple):
    """One job of the list.

    link: path of its object's page, or "". account: the connected account it belongs to, "" for the own account.
    """

    failing: FailingJob
    link: str
    account: str


def index(ctx: Context, params: Params) -> Answer:
    """List failed and retried jobs of the account and its connected accounts, newest first."""
    every = [
        found
        for account in accounts_with_failing_jobs(ctx.tx, ctx.livemode)
        if _is_own_or_connected(ctx, account)
        for found in failing_jobs(ctx.tx, Scope(account, ctx.livemode))
    ]
    every.sort(key=lambda found: found.tried, reverse=True)
    return Render("developers/jobs.html", {"lines": [_line(ctx, found) for found in every[:100]]})


def _is_own_or_connected(ctx: Context, account: str) -> bool:
    return account == ctx.account or platform_of(ctx.tx, Scope(account, ctx.livemode)) == ctx.account


def _line(ctx: Context, found: FailingJob) -> Line:
    scope, id = found.job.scope, found.job.id
    if scope.account != ctx.account:
        return Line(found, "", scope.account)
    resource = ctx.setup.tables.catalogue.of_id(id)
    shown = resource is not None and resource.title and resource.stored and resource.object not in ELSEWHERE
    if resource is None or not shown or ctx.setup.tables.load(ctx.tx, scope, resource.object, id) is None:
        return Line(found, "", "")
    return Line(found, ctx.url(f"/objects/{resource.object}/{id}"), "")


def _found(ctx: Context, params: Params) -> FailingJob | None:
    """The job that a form names; None when it no longer exists. Raises NotFound for another account."""
    account = params.get("account") or ctx.account
    if not _is_own_or_connected(ctx, account):
        raise NotFound
    return find_failing_job(ctx.tx, Scope(account, ctx.livemode), params.get("kind"), params.get("id"))


def _gone(ctx: Context) -> Redirect:
    return Redirect(ctx.url("/jobs"), "This job no longer exists: it has already run or was discarded.")


def run(ctx: Context, params: Params) -> Answer:
    """Run a job now; for an object on a test clock at the clock's time."""
    found = _found(ctx, params)
    if found is None:
        return _gone(ctx)
    item = found.job
    call = Call(ctx.setup, ctx.tx, item.scope, ctx.now, platform=platform_of(ctx.tx, item.scope))
    if item.clock:
        clock = call.objects.find(_CLOCK, item.clock)
        if clock is None or clock["status"] == "advancing":
            raise FormErrors({"": "The test clock of this job is advancing. Try again when it is ready."})
        call = call.at(clock["frozen_time"])
    if not run_job(call, item):
        return _gone(ctx)
    _record(ctx, "job_run", found)
    again = find_failing_job(ctx.tx, item.scope, item.kind, item.id)
    return Redirect(
        ctx.url("/jobs"),
        "The job failed again." if again is not None else "The job succeeded.",
    )


def confirm_discard(ctx: Context, params: Params) -> Confirmation | None:
    """The confirmation for discarding a job."""
    found = _found(ctx, params)
    return (
        None
        if found is None
        else Confirmation("Discard job", f"The job {found.job.kind} for {found.job.id} will never run.")
    )


def discard(ctx: Context, params: Params) -> Answer:
    """Discard a job, so that it never runs."""
    found = _found(ctx, params)
    if found is None:
        return _gone(ctx)
    Schedule(ctx.tx, found.job.scope).cancel(Job(found.job.kind), found.job.id)
    _record(ctx, "job_discarded", found)
    return Redirect(ctx.url("/jobs"), "The job was discarded.")


def _record(ctx: Context, action: str, found: FailingJob) -> None:
    activity.record(ctx.tx, ctx, ctx.account, action, about=found.job.id, kind=found.job.kind, error=found.error)


_NEVER = required("it cannot be undone")

PAGES = (
    Page("/jobs", index, action="jobs.see", nav=Nav("Developers", "Scheduled jobs", 60)),
    Page(
        "/jobs/run",
        run,
        method="POST",
        action="jobs.change",
        recent_sign_in=not_required("the job would run anyway"),
        redisplay=index,
    ),
    Page(
        "/jobs/discard",
        discard,
        method="POST",
        action="jobs.change",
        recent_sign_in=_NEVER,
        confirmation=confirm_discard,
        redisplay=index,
    ),
)

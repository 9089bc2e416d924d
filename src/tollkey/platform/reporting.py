"""Reporting: report runs, which create CSV files from the balance transactions of an interval.

pending ──the timer──▶ succeeded   (``result`` is a file)
                  └──▶ failed      (``error``)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.platform import jobs
from tollkey.platform._contents import add_file
from tollkey.platform._reports import COLUMNS, REPORT_TYPES, is_itemized, make_csv
from tollkey.wire import Call, Endpoint, Json, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.live import records
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import operations

PERMISSION = Permission("report_runs_and_report_types", "Report Runs and Report Types", "Reporting")
_DAY = 86_400


def _type(call: Call, id: str) -> Json:
    name, version = REPORT_TYPES[id]
    today = call.now - call.now % _DAY
    return new_object(
        "reporting.report_type",
        id=id,
        name=name,
        version=version,
        livemode=call.livemode,
        data_available_start=today - 365 * _DAY,
        data_available_end=today,
        updated=today,
        default_columns=list(COLUMNS[id]),
    )


def retrieve_type(call: Call, params: operations.GetReportingReportTypesReportType) -> Json:
    """Retrieve a report type."""
    id = call.path["report_type"]
    if id not in REPORT_TYPES:
        raise missing_object("report type", id, "report_type", in_path=True)
    return _type(call, id)


def list_types(call: Call, params: operations.GetReportingReportTypes) -> Page:
    """List report types."""
    return Page([_type(call, id) for id in REPORT_TYPES], False, "/v1/reporting/report_types")


def _check_filters(kind: str, given: operations.PostReportingReportRunsParameters | dict[str, object]) -> None:
    """Raise ApiError 400 for a parameter that reports of a type do not have."""
    for name in ("connected_account", "payout"):
        if name in given:
            raise invalid(f"Reports of type {kind} have no parameter {name}.", f"parameters[{name}]")
    if "reporting_category" in given and not is_itemized(kind):
        raise invalid(f"Reports of type {kind} have no parameter reporting_category.", "parameters[reporting_category]")


def create(call: Call, params: operations.PostReportingReportRuns) -> Json:
    """Create a report run. It is pending until a job has created its file."""
    kind = params["report_type"]
    if kind not in REPORT_TYPES:
        raise missing_object("report type", kind, "report_type", in_path=False)
    given = params.get("parameters") or {}
    columns = given.get("columns")
    unknown = [name for name in columns or () if name not in COLUMNS[kind]]
    if unknown:
        raise invalid(f"Invalid column for report type {kind}: {unknown[0]}", "parameters[columns]")
    start, end = given.get("interval_start"), given.get("interval_end")
    if start is not None and end is not None and start >= end:
        raise invalid("interval_start must be before interval_end.", "parameters[interval_start]")
    _check_filters(kind, given)
    run = new_object(
        "reporting.report_run",
        id=call.ids.new("frr"),
        created=call.now,
        livemode=call.livemode,
        parameters=given,
        report_type=kind,
        status="pending",
    )
    call.schedule.add(call.now + 1, jobs.REPORT_RUN, run["id"])
    return call.objects.insert(run)


def finish(call: Call, id: str) -> None:
    """Create the file of a pending run."""
    run = call.objects.get("reporting.report_run", id)
    if run["status"] != "pending":
        return
    text = make_csv(call, run["report_type"], run["parameters"])
    run["result"] = call.objects.copy(add_file(call, text.encode(), f"{id}.csv", "finance_report_run", title=None))
    run["status"], run["succeeded_at"] = "succeeded", call.now
    call.objects.save(run)
    call.emit("reporting.report_run.succeeded", run)


REPORT_RUN = Resource(
    object="reporting.report_run",
    prefix="frr",
    permission=PERMISSION,
    live=records(),
    label="report run",
    path_param="report_run",
    endpoints=(
        Endpoint("POST", "/v1/reporting/report_runs", create, level="read"),
        listing("reporting.report_run", "/v1/reporting/report_runs"),
        retrieve("reporting.report_run", "/v1/reporting/report_runs/{report_run}"),
        Endpoint("GET", "/v1/reporting/report_types", list_types, object="reporting.report_type"),
        Endpoint("GET", "/v1/reporting/report_types/{report_type}", retrieve_type, object="reporting.report_type"),
    ),
    on_due={jobs.REPORT_RUN: finish},
    title="Report runs",
    columns=("report_type", "status", "id", "created"),
)

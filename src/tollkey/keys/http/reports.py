"""``GET /v1/usage``: how often keys were used."""

from __future__ import annotations

from urllib.parse import urlencode

from tollkey.keys import usage
from tollkey.keys.http.answer import Answer, JsonValue, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint
from tollkey.keys.http.errors import invalid
from tollkey.keys.http.fields import Field
from tollkey.keys.http.objects import livemode_of
from tollkey.keys.key import SERVICE_ACCOUNT

_MOST_ROWS = 10_000
_CSV = ((b"content-type", b"text/csv; charset=utf-8"), (b"content-disposition", b'attachment; filename="usage.csv"'))


async def report(call: Call) -> Answer:
    """Report requests and their cost, grouped by what ``by`` names, in pages."""
    asked = call.query
    by = tuple(name for name in (asked.text("by") or "key,day").split(",") if name)
    limit, offset = asked.number("limit") or 1_000, asked.number("page") or 0
    environment, account = asked.text("environment"), asked.text("account")
    query = _query(call, by, account, environment, limit, offset)
    rows = await call.read(lambda tx: usage.report(tx, query))
    more, rows = len(rows) > limit, rows[:limit]
    if asked.text("format") == "csv":
        following = ((b"x-next-page", str(offset + limit).encode()),) if more else ()
        return Answer(usage.as_csv(rows, by).encode(), 200, (*_CSV, *following))
    data: list[JsonValue] = [usage.as_json(row, by) for row in rows]
    url = f"/v1/usage?{urlencode({'by': ','.join(by)}, safe=',')}"
    page = offset + limit if more else None
    return json_answer({"object": "list", "url": url, "has_more": more, "next_page": page, "data": data})


def _query(
    call: Call, by: tuple[str, ...], account: str | None, environment: str | None, limit: int, offset: int
) -> usage.UsageQuery:
    """Return the query of a request. Raises ApiError."""
    asked = call.query
    livemode = None if environment is None else livemode_of(call.server, environment)
    try:
        return usage.UsageQuery(
            by,
            account,
            livemode,
            asked.text("key"),
            asked.text("route"),
            asked.text("outcome"),
            asked.number("since"),
            asked.number("until"),
            limit + 1,
            offset,
            without_account=None if account == SERVICE_ACCOUNT else SERVICE_ACCOUNT,
        )
    except ValueError as problem:
        raise invalid(f"Invalid report: {problem}.", "by") from None


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/usage",
        report,
        "usage_read",
        "Report the use of keys",
        "usage",
        query={
            "by": Field("string", f"What to group by, separated by commas: {', '.join(usage.DIMENSIONS)}. [key,day]"),
            "account": Field("string", "Only this account."),
            "environment": Field("string", "Only this environment."),
            "key": Field("string", "Only the key with this id."),
            "route": Field("string", "Only this route."),
            "outcome": Field("string", "Only `accepted`, or requests refused for this reason."),
            "since": Field("integer", "From this time, UTC epoch seconds.", most=2**40),
            "until": Field("integer", "To before this time, UTC epoch seconds.", most=2**40),
            "limit": Field("integer", "Rows of a page. [1000]", most=_MOST_ROWS, least=1),
            "page": Field("integer", "`next_page` of the answer before.", most=2**40),
            "format": Field("string", "`json` or `csv`. [json]", choices=("json", "csv")),
        },
    ),
)

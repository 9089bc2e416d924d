"""Errors of the HTTP interface, in the envelope ``{"error": {"type", "code", "message", "param"}}``."""

from __future__ import annotations

import orjson

from tollkey.db import StorageError
from tollkey.db.engine import OutcomeUnknown
from tollkey.keys.errors import KeyRefused
from tollkey.keys.header import mask_keys, without_keys
from tollkey.keys.http.answer import JSON, Answer

REQUEST = "invalid_request_error"
IDEMPOTENCY = "idempotency_error"
API = "api_error"


class ApiError(Exception):
    """An error answer.

    status: the HTTP status. code: a stable identifier. message: a sentence for people, without secrets.
    param: the name of the parameter at fault. type: ``invalid_request_error``, ``idempotency_error`` or ``api_error``.
    headers: further headers, pairs of name in lower case and value.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        param: str | None = None,
        *,
        type: str = REQUEST,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.type, self.headers = type, headers

    def answer(self) -> Answer:
        """Return the HTTP answer. A key that was sent in another place is masked, also where a name repeats it."""
        fields: dict[str, str] = {"type": self.type, "code": self.code, "message": mask_keys(self.message)}
        if self.param is not None:
            fields["param"] = mask_keys(self.param)
        body = orjson.dumps({"error": fields}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return Answer(body, self.status, (JSON, *self.headers))


def invalid(message: str, param: str | None, code: str = "parameter_invalid") -> ApiError:
    """Return the 400 for a parameter. param: its name."""
    return ApiError(400, code, message, param)


def missing(what: str, id: str, param: str | None = None) -> ApiError:
    """Return the 404 for an object that does not exist. what: for example ``api_key``. id: as it was asked for."""
    return ApiError(404, "resource_missing", f"No such {what}: '{without_keys(id)[:100]}'", param)


def unavailable(message: str = "The database cannot be reached at the moment. Nothing was changed.") -> ApiError:
    """Return the 503 for what cannot be known or done at the moment."""
    return ApiError(503, "unavailable", message, type=API, headers=((b"retry-after", b"1"),))


def error_of(problem: Exception) -> ApiError | None:
    """Return the error answer to an exception that a handler may raise; None for an unexpected one."""
    if isinstance(problem, ApiError):
        return problem
    if isinstance(problem, KeyRefused):
        return ApiError(problem.status, problem.code, problem.message, problem.param)
    if isinstance(problem, OutcomeUnknown):
        message = "The disk or the connection failed: it is not known whether the change was stored. Read it first."
        return ApiError(500, "outcome_unknown", message, type=API)
    return unavailable() if isinstance(problem, StorageError) else None


def internal() -> ApiError:
    """Return the 500 for an unexpected exception."""
    return ApiError(500, "internal_error", "The server failed. The error is in its log, by this Request-Id.", type=API)

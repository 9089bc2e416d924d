"""The permission editor, for permissions with a parameter; the others are in ``test_apikeys.py``."""

from __future__ import annotations

import pytest

from tollkey.dashboard import matrix
from tollkey.dashboard.page import Params
from tollkey.keys import Permission
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.permissions import PermissionCatalogue

CATALOGUE = PermissionCatalogue([Permission("project", "Projects", parameter=True), Permission("report", "Reports")])


def test_grants_with_a_parameter_are_lines_of_text() -> None:
    ((_, (projects, reports)),) = matrix.groups(CATALOGUE, ["project:7:read", "project:42:write", "report_read"], [])
    assert (projects.levels, projects.level, projects.connect) == ((), "project:42:write\nproject:7:read", "")
    assert (reports.levels, reports.level) == (("none", "read", "write"), "read")


def test_they_are_read_with_and_without_the_name_of_the_permission() -> None:
    params = Params(sent=[("p:project", "project:42:write\r\n7:read, *:read"), ("p:report", "write")])
    assert matrix.chosen(params, CATALOGUE) == {"project:42:write", "project:7:read", "project:*:read", "report_write"}
    assert matrix.selected(params, CATALOGUE) == {"report_write"}


@pytest.mark.parametrize("typed", ["42", "42:delete", "project:4$:read", "report:42:read"])
def test_a_malformed_grant_is_refused(typed: str) -> None:
    with pytest.raises(UnknownPermission):
        matrix.chosen(Params(sent=[("p:project", typed)]), CATALOGUE)

"""What CONTRIBUTING.md promises: its resource works as it stands there, in one file."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.api import Answer, Api
from tollkey.core import gather
from tollkey.db import migrating
from tollkey.wire import Endpoint, Resource
from tollkey.wire.call import Setup
from tollkey.wire.messages import Request
from tollkey.wire.policy import Policy
from tollkey.wire.resource import Catalogue
from tollkey.wire.service import Service
from tollkey.wire.tables import Tables

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()


def widgets(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Resource, ...]:
    """The resources of a folder that holds the document's example and nothing else."""
    code = re.search(r"```python\n(.*?)```", TEXT, re.S)
    assert code
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "widgets.py").write_text("from __future__ import annotations\n" + code[1])
    patch.syspath_prepend(str(folder))
    return gather(importlib.import_module("shop"))


def test_the_document_s_resource_is_created_listed_and_retrieved(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = Tables(Catalogue((*api.core.catalogue.resources, *widgets(tmp_path, monkeypatch))))
    migrating.run(api.core.database, (), list(tables.of.values()))
    setup = Setup(tables, api.core.setup.ids, api.core.setup.emit, api.core.setup.services)
    service = Service(
        setup, api.world.server.edge, api.core.verifier, Policy(connected=lambda *_: False), lambda: api.now
    )

    def send(method: str, path: str, **params: str) -> Answer:
        headers = {"authorization": f"Bearer {api.sk}", "content-type": "application/x-www-form-urlencoded"}
        text = urlencode(params).encode()
        query, body = (text, b"") if method == "GET" else (b"", text)
        response = api.world.runner.run(service.answer(Request(method, path, query, headers, body, "127.0.0.1")))
        return Answer(response.status, response.headers, response.body)

    made = send("POST", "/v1/widgets", colour="red")
    assert made.status == 200
    assert send("GET", f"/v1/widgets/{made['id']}")["colour"] == "red"
    assert [one["id"] for one in send("GET", "/v1/widgets", colour="red", limit="5")["data"]] == [made["id"]]
    assert send("GET", "/v1/widgets", colour="blue")["data"] == []
    assert send("POST", "/v1/widgets").error["code"] == "parameter_missing"
    assert send("GET", "/v1/widgets", size="3").error["code"] == "parameter_unknown"
    assert api.events("widget.created")[0]["data"]["object"]["id"] == made["id"]


def test_an_endpoint_beyond_the_specification_that_writes_says_what_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (widget,) = widgets(tmp_path, monkeypatch)
    silent = Endpoint("POST", "/v1/unicorns", widget.endpoints[1].handler)
    with pytest.raises(ValueError, match="POST /v1/unicorns is not in the specification: declare its params"):
        Catalogue((Resource("unicorn", widget.permission, (silent,), stored=False),))

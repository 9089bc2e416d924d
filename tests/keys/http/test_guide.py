"""The guide's commands do what the guide says."""

from __future__ import annotations

import re
import shlex
import string
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.keys.http.conftest import Answer, Start, Web
from tollkey.cli.app import app
from tollkey.keys.http.app import ENDPOINTS

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "keys-service.md"
TEXT = GUIDE.read_text()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: nothing here is about storage."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


def commands() -> list[str]:
    blocks = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).replace("\\\n", " ")
    return [line for line in blocks.splitlines() if line.startswith("curl")]


def run(web: Web, command: str, variables: dict[str, str]) -> Answer:
    """What curl would send. Variables are replaced where the shell replaces them: not within single quotes."""
    parts = re.split(r"('[^']*')", command)
    filled = [p if p.startswith("'") else string.Template(p).substitute(variables) for p in parts]
    words = iter(shlex.split("".join(filled))[1:])
    url, headers, body, method = "", {}, None, "GET"
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name.lower()] = value
        elif word in ("--json", "-d"):
            kind = "application/json" if word == "--json" else "application/x-www-form-urlencoded"
            body, method, headers["content-type"] = next(words), "POST", kind
        elif word == "-X":
            method = next(words)
        else:
            url = word
    path = url.removeprefix(variables["TOLLKEY_URL"])
    return web.call(method, path, None if body is None else body.encode(), key=None, headers=headers)


def test_every_command_of_the_guide_succeeds(start: Start) -> None:
    web = start()
    variables = {"TOLLKEY_URL": "http://127.0.0.1:8421", "TOLLKEY_ADMIN_KEY": web.admin}
    answers: list[Any] = []
    for command in commands():
        answer = run(web, command, variables)
        assert answer.status == 200, (command, answer.body)
        answers.append(answer.json)
        if answer.json.get("secret") and answer.json["account"] == "cus_1" and "rolled" not in answer.json:
            variables |= {"KEY": answer.json["secret"], "KEY_ID": answer.json["id"]}
    assert len(answers) > 10
    assert answers[2]["code"] == "valid"
    assert answers[3]["active"] is True
    assert [each["status"] for each in answers if each.get("object") == "api_key"][-1] == "revoked"


def test_the_guide_names_every_permission_option_and_endpoint_as_it_is(start: Start) -> None:
    web = start()
    permissions = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    assert web.app.server.callers.keys.authority.catalogue.names <= permissions
    (serve,) = [each for each in _commands() if each.name == "serve"]
    offered = {option for param in serve.params for option in param.opts}
    named = set(re.findall(r"--[a-z][a-z-]+", TEXT))
    assert named <= offered, named - offered
    paths = set(re.findall(r"`(/(?:v1|oauth2)/[\w/-]+)`", TEXT)) - {"/v1/keys/forward-auth"}
    assert paths <= {each.path for each in ENDPOINTS}


def _commands() -> list[Any]:
    group: Any = typer.main.get_command(app)
    return list(group.commands["keys"].commands.values())

"""``tollkey.toml``: what it means, and what is said about a wrong one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tollkey.keys
from tollkey.keys import Permission
from tollkey.keys.config import Config, ConfigError, Limit, Pattern, Plan, Quota, Rate, Route, load, parse
from tollkey.keys.token import Brand

WHOLE = """\
[service]
name = "acme"
prefix = { secret = "acmesk", restricted = "acmerk", publishable = "acmepk" }
environments = [
  "sandbox",  # the test environment ["
  "production",
]
default_plan = "free"

[permissions.report]
label = "Reports"
group = "Data"
implies = ["file_read"]
[permissions.file]
levels = "read"

[[routes]]
match = "GET /reports/*"
needs = "report_read"
cost = 2

[[routes]]
match = "* /public/*"
publishable = true

[plans.free]
rate = "10/s"
burst = 20
quota = ["10000/month", "1000/day"]
[plans.free.limits.search]
rate = "1/s"
per = "key"
routes = ["GET /public/search"]
[plans.unlimited]

[limits.any]
rate = "500/s"
per = "route"
"""


def test_a_file_and_python_give_the_same_value() -> None:
    assert parse(WHOLE) == Config(
        name="acme",
        brand=Brand("acmepk", "acmesk", "acmerk", "sandbox", "production"),
        permissions=(Permission("report", "Reports", "Data"), Permission("file", "File", levels=("read",))),
        implied={"report": ("file_read",)},
        routes=(
            Route(Pattern.parse("GET /reports/*"), "report_read", 2),
            Route(Pattern.parse("* /public/*"), publishable=True),
        ),
        plans=(
            Plan("free", (
                Limit("free", Rate(10), 20, (Quota(10_000, "month"), Quota(1000, "day"))),
                Limit("search", Rate(1), per="key", routes=(Pattern.parse("GET /public/search"),)),
            )),
            Plan("unlimited"),
        ),
        default_plan="free",
        limits=(Limit("any", Rate(500), per="route"),),
    )  # fmt: skip


def test_a_permission_with_a_parameter_is_needed_with_a_part_of_the_path() -> None:
    config = parse(
        "[permissions.project]\nparameter = true\n[[routes]]\n"
        'match = "GET /projects/{id}"\nneeds = "project:{id}:read"\n'
    )
    assert config.permissions == (Permission("project", "Project", parameter=True),)
    match = config.routing.find("GET", "/projects/42")
    assert match is not None
    assert match.permission == "project:42:read"
    with pytest.raises(ConfigError, match=r"project:\{id\}:delete"):
        parse(
            "[permissions.project]\nparameter = true\n[[routes]]\n"
            'match = "GET /projects/{id}"\nneeds = "project:{id}:delete"\n'
        )


def test_a_permission_with_a_parameter_takes_it_from_the_path() -> None:
    text = '[permissions.project]\nparameter = true\n[[routes]]\nmatch = "PUT /projects/{id}"\n'
    text += 'needs = "project:{id}:write"\n'
    config = parse(text)
    assert config.permissions == (Permission("project", "Project", parameter=True),)
    match = config.routing.find("PUT", "/projects/42")
    assert match is not None
    assert match.permission == "project:42:write"
    assert said(text.replace("/{id}", "/{name}")) == [
        "tollkey.toml:5: routes[1].needs: the path of this route has no part named id"
    ]
    assert said(text.replace(":write", ":wirte"))[0].endswith("did you mean project:*:write?")
    assert parse(text.replace("{id}:write", "*:write")).routing.find("PUT", "/projects/42") is not None


def test_an_empty_file_is_stripe_s_prefixes_and_no_limits() -> None:
    config = parse("")
    assert config == Config()
    assert (config.environment(False), config.environment(True)) == ("test", "live")
    assert config.plan(None) is None


def test_the_second_environment_is_the_live_one() -> None:
    config = parse(WHOLE)
    assert (config.environment(False), config.environment(True)) == ("sandbox", "production")
    assert (config.livemode_of("sandbox"), config.livemode_of("production")) == (False, True)
    with pytest.raises(ValueError, match="no environment 'live'; there are sandbox and production"):
        config.livemode_of("live")


def said(text: str) -> list[str]:
    with pytest.raises(ConfigError) as wrong:
        parse(text)
    return str(wrong.value).splitlines()


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("10/s", "10/sek", "27: plans.free.rate", "'10/sek' is no rate"),
        ("burst", "brust", "28: plans.free.brust", "is not a key of this table; did you mean burst?"),
        ("burst = 20", "burst = 0", "28: plans.free.burst", "must be at least 1"),
        ("burst = 20", 'burst = "20"', "28: plans.free.burst", "must be a whole number, not '20'"),
        ("cost = 2", "cost = true", "20: routes[1].cost", "must be a whole number, not True"),
        ("cost = 2", "cost = -1", "20: routes[1].cost", "must not be below 0"),
        ("cost = 2", "cost = 30", "20: routes[1].cost", "is more than free allows at once (20)"),
        ("report_read", "reprt_read", "19: routes[1].needs", "'reprt_read' is not the name of a permission with its"),
        ("report_read", "reprt_read", "19: routes[1].needs", "level; did you mean report_read?"),
        ("file_read", "file_write", "13: permissions.report.implies", "'file_write' is not the name of a permission"),
        ('"read"', '"reed"', "15: permissions.file.levels", "'reed' is no level"),
        ('plan = "free"', 'plan = "fre"', "8: service.default_plan", "there is no plan 'fre'; did you mean free?"),
        ("[limits.", "[limit.", "36: limit", "is not a table of this file; did you mean limits?"),
        ("limits.any", "limits.free", "26: plans.free", "the name 'free' is already that of a limit in limits"),
        ('"route"', '"rout"', "38: limits.any.per", "must be one of key, account, identity, route, not 'rout'"),
        ('"production"', '"a", "b"', "4: service.environments", "has 3 names, and keys have two modes"),
        ('  "production",', "", "4: service.environments", "has 1 name, and keys have two modes"),
        ('"production"', '"sandbox"', "4: service.environments", "the two names must be different"),
        ('"acmepk"', '"acmesk"', "3: service.prefix", "the three prefixes must be different"),
        ('"acmepk"', '"acme_pk"', "3: service.prefix.publishable", "'acme_pk' must be lower-case letters and digits"),
        (
            "* /public/*",
            "GET /reports/{id}",
            "23: routes[2].match",
            "no request ever gets here: 'GET /reports/*' stands",
        ),
        ("GET /reports", "GET reports", "18: routes[1].match", "'GET reports/*' is no route"),
        ('match = "* /public/*"', "", "22: routes[2].match", "is missing"),
        ("10000/month", "1/day", "29: plans.free.quota", "has two quotas of the same period"),
        ('rate = "500/s"', "", "36: limits.any", "a limit needs a rate"),
        ("plans.unlimited", "plans.Unlimited", "34: plans.Unlimited", "a name has lower-case letters"),
        ("permissions.file", "permissions.File", "14: permissions.File", "the name of a permission has lower-case"),
        ("[service]", "[service", "1", "is not TOML: "),
        ("[service]", f"service = {'[' * 5_000}", "39", "is not TOML: "),
    ],
)
def test_a_fault_names_file_line_and_key(old: str, new: str, where: str, what: str) -> None:
    lines = said(WHOLE.replace(old, new, 1))
    assert [each for each in lines if each.startswith(f"tollkey.toml:{where}: ") and what in each], lines


def test_all_faults_are_named_at_once_in_their_order() -> None:
    faults = said(WHOLE.replace("10/s", "10/sek").replace("burst", "brust").replace("cost = 2", "cost = 2.5"))
    assert [each.split(": ")[1] for each in faults] == ["routes[1].cost", "plans.free.rate", "plans.free.brust"]


def test_a_table_that_another_package_declares_is_read_into_its_dataclass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "parcels"
    room.mkdir()
    (room / "__init__.py").touch()
    (room / "section.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass Smtp:\n    host: str\n    port: int = 587\n"
        "@dataclass(frozen=True)\nclass Section:\n    smtp: Smtp | None = None\n    seconds: float = 1.5\n"
    )
    for name in ("tollkey.keys.parcels", "tollkey.keys.parcels.section"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(tollkey.keys, "__path__", [*tollkey.keys.__path__, str(tmp_path)])
    text = '[parcels]\nseconds = 2\n[parcels.smtp]\nhost = "localhost"\n'
    section = parse(text).sections["parcels"]
    assert repr(section) == "Section(smtp=Smtp(host='localhost', port=587), seconds=2.0)"
    assert parse(text).section(type(section)) == section
    assert parse("").section(type(section)) is None
    assert said(text.replace("host", "hots")) == [
        "tollkey.toml:3: parcels.smtp.host: is missing",
        "tollkey.toml:4: parcels.smtp.hots: is not a key of this table; did you mean host?",
    ]


def test_a_table_named_after_a_package_without_a_section_is_refused() -> None:
    assert said("[config]\n") == [
        "tollkey.toml:1: config: is not a table of this file; there are limits, permissions, plans, routes, service"
    ]


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tollkey\.toml: cannot be read: No such file"):
        load(tmp_path / "tollkey.toml")
    (tmp_path / "tollkey.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read: it is not UTF-8"):
        load(tmp_path / "tollkey.toml")
    (tmp_path / "tollkey.toml").write_text(WHOLE)
    assert load(tmp_path / "tollkey.toml") == parse(WHOLE)


def test_a_configuration_built_in_python_is_checked_without_lines() -> None:
    with pytest.raises(ConfigError) as wrong:
        Config(default_plan="free", plans=(Plan("fre", (Limit("fre"),)),))
    assert str(wrong.value).splitlines() == [
        'plans.fre: a limit needs a rate (rate = "10/s") or a quota (quota = "10000/month")',
        "service.default_plan: there is no plan 'free'; did you mean fre?",
    ]

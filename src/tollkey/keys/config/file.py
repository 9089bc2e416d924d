"""Reads ``tollkey.toml``."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tollkey.keys.config.amounts import Quota, Rate
from tollkey.keys.config.faults import ConfigError, Fault, Place, suggestion
from tollkey.keys.config.plans import Limit, Per, Plan
from tollkey.keys.config.positions import line_of, positions
from tollkey.keys.config.reading import Unreadable, read_table
from tollkey.keys.config.routes import Pattern, Route
from tollkey.keys.config.values import Config
from tollkey.keys.permissions import LEVELS, Permission
from tollkey.keys.token import BRAND, Brand

_PACKAGE = "tollkey.keys"
_WORD = re.compile(r"[a-z][a-z0-9]*")
_OWN = ("service", "permissions", "routes", "plans", "limits")


@dataclass(frozen=True, slots=True)
class _Prefix:
    secret: str = BRAND.secret
    restricted: str = BRAND.restricted
    publishable: str = BRAND.publishable


@dataclass(frozen=True, slots=True)
class _Service:
    name: str = "keys"
    prefix: _Prefix = _Prefix()
    environments: tuple[str, ...] = (BRAND.test, BRAND.live)
    default_plan: str | None = None
    identity: str = "identity"
    imported_keys: bool = False


@dataclass(frozen=True, slots=True)
class _Permission:
    name: str
    label: str | None = None
    group: str = "Core"
    levels: tuple[str, ...] = LEVELS
    parameter: bool = False
    implies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    name: str
    rate: Rate | None = None
    burst: int | None = None
    quota: tuple[Quota, ...] = ()
    per: Per = "account"
    routes: tuple[Pattern, ...] = ()
    limits: Mapping[str, Limit] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class _File:
    service: _Service = _Service()
    permissions: Mapping[str, _Permission] = field(default_factory=lambda: MappingProxyType({}))
    routes: tuple[Route, ...] = ()
    plans: Mapping[str, _Plan] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[str, Limit] = field(default_factory=lambda: MappingProxyType({}))


def load(path: str | Path) -> Config:
    """Read a configuration file.

    path: usually ``tollkey.toml``; docs/guides/config.md describes it.
    Raises ConfigError, which names file, line and key of every fault, also for a file that cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise ConfigError([Fault((), f"cannot be read: {why}")], str(path)) from None
    return parse(text, str(path))


def parse(text: str, file: str = "tollkey.toml") -> Config:
    """Read a configuration from a text. file: its name in errors. Raises ConfigError."""
    import tomllib  # here, so that ``import tollkey.keys`` stays fast

    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        at = re.search(r" \(at line (\d+), column \d+\)$", str(wrong))
        line = int(at[1]) if at is not None else text.count("\n") + 1
        message = str(wrong)[: at.start()] if at is not None else str(wrong)
        raise ConfigError([Fault((), f"is not TOML: {message}")], file, [line]) from None
    faults: list[Fault] = []
    try:
        return _config(tables, faults)
    except Unreadable:
        pass
    except ConfigError as wrong:
        faults.extend(wrong.faults)
    found = positions(text)
    ordered = sorted(faults, key=lambda fault: line_of(fault.place, found))
    raise ConfigError(ordered, file, [line_of(fault.place, found) for fault in ordered])


def _config(tables: dict[str, object], faults: list[Fault]) -> Config:
    """Return the configuration. Raises Unreadable when faults were noted, or ConfigError."""
    own = {name: table for name, table in tables.items() if name in _OWN}
    sections = _sections({name: table for name, table in tables.items() if name not in _OWN}, faults)
    file = read_table(_File, own, (), faults)
    brand = _brand(file.service, faults)
    if brand is None or faults:
        raise Unreadable
    permissions = tuple(
        Permission(row.name, row.label or row.name.replace("_", " ").capitalize(), row.group, row.levels, row.parameter)
        for row in file.permissions.values()
    )
    return Config(
        name=file.service.name,
        brand=brand,
        permissions=permissions,
        implied=MappingProxyType({row.name: row.implies for row in file.permissions.values() if row.implies}),
        routes=file.routes,
        plans=tuple(_plan(row) for row in file.plans.values()),
        default_plan=file.service.default_plan,
        limits=tuple(file.limits.values()),
        identity=file.service.identity,
        imported_keys=file.service.imported_keys,
        sections=MappingProxyType(sections),
    )


def _brand(service: _Service, faults: list[Fault]) -> Brand | None:
    words, place = service.environments, ("service", "environments")
    if len(words) != 2:
        faults.append(
            Fault(
                place,
                f"has {len(words)} name{'' if len(words) == 1 else 's'}, and keys have two modes: name the test"
                " environment first and the live one second; run a service with a database of its own for any other",
            )
        )
        return None
    prefix = service.prefix
    wrong = [(("service", "prefix", name), getattr(prefix, name)) for name in ("secret", "restricted", "publishable")]
    bad: list[tuple[Place, str]] = [(at, word) for at, word in wrong if not _WORD.fullmatch(word)]
    bad.extend((place, word) for word in words if not _WORD.fullmatch(word))
    faults.extend(Fault(at, f"{word!r} must be lower-case letters and digits, a letter first") for at, word in bad)
    if len({word for _, word in wrong}) < 3:
        faults.append(Fault(("service", "prefix"), "the three prefixes must be different"))
    if words[0] == words[1]:
        faults.append(Fault(place, "the two names must be different"))
    if faults:
        return None
    return Brand(prefix.publishable, prefix.secret, prefix.restricted, words[0], words[1])


def _plan(row: _Plan) -> Plan:
    alone = row == _Plan(row.name, limits=row.limits)  # nothing but tables of limits, or nothing: no limit
    own = () if alone else (Limit(row.name, row.rate, row.burst, row.quota, row.per, row.routes),)
    return Plan(row.name, (*own, *row.limits.values()))


def _sections(tables: dict[str, object], faults: list[Fault]) -> dict[str, object]:
    """Read the tables that other packages declare: ``tollkey.keys.<name>.section`` has the dataclass ``Section``."""
    found: dict[str, object] = {}
    for name, table in tables.items():
        module = f"{_PACKAGE}.{name}.section"
        if not re.fullmatch(r"[a-z][a-z_]*", name) or not _exists(module):
            faults.append(Fault((name,), f"is not a table of this file{suggestion(name, _OWN)}"))
            continue
        try:
            found[name] = read_table(importlib.import_module(module).Section, table, (name,), faults)
        except Unreadable:
            continue
    return found


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its package
        return False

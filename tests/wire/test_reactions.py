"""A room says what has happened; resources of rooms above say what they do then."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tollkey.keys import Permission
from tollkey.wire import Call, Endpoint, P, Resource
from tollkey.wire.live import records
from tollkey.wire.resource import Catalogue, MoreEndpoints, Reaction, join_endpoints

SHIP = Permission("ship", "Ships")


@dataclass(frozen=True)
class Docked:
    ship: str


@dataclass(frozen=True)
class Sunk:
    ship: str


def resource(name: str, **more: Any) -> Resource:
    return Resource(object=name, permission=SHIP, live=records(), **more)


def announcing(catalogue: Catalogue, fact: object) -> None:
    call = SimpleNamespace(setup=SimpleNamespace(tables=SimpleNamespace(catalogue=catalogue)))
    Call.announce(cast(Call, call), fact)


def test_a_fact_reaches_every_resource_that_reacts_to_its_type_in_order() -> None:
    heard: list[str] = []
    first = resource("crane", on=(Reaction(Docked, lambda call, fact: heard.append(f"crane {fact.ship}")),))
    second = resource("pilot", on=(Reaction(Docked, lambda call, fact: heard.append(f"pilot {fact.ship}")),))
    catalogue = Catalogue((first, second))
    announcing(catalogue, Docked("a"))
    announcing(catalogue, Sunk("b"))
    assert heard == ["crane a", "pilot a"]


def test_what_a_reaction_raises_ends_what_announced_the_fact() -> None:
    def refuse(call: Call, fact: Docked) -> None:
        raise RuntimeError(fact.ship)

    with pytest.raises(RuntimeError, match="a"):
        announcing(Catalogue((resource("crane", on=(Reaction(Docked, refuse),)),)), Docked("a"))


def test_endpoints_of_a_higher_room_belong_to_the_resource_that_they_name() -> None:
    endpoint = Endpoint("GET", "/v1/ships/next", lambda call, params: {}, params=P.object())
    (joined,) = join_endpoints((resource("ship"),), (MoreEndpoints("ship", (endpoint,)),))
    assert joined.endpoints == (endpoint,)
    with pytest.raises(ValueError, match="boat"):
        join_endpoints((resource("ship"),), (MoreEndpoints("boat", (endpoint,)),))

"""Every fact is announced by some room and heard by some resource."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from pathlib import Path

import pytest

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.payments.shared import events
from tollkey.wire.resource import Catalogue

FACTS = [value for value in vars(events).values() if isinstance(value, type) and is_dataclass(value)]
SOURCE = Path(tollkey.payments.__file__).parent


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_a_fact_is_announced_and_heard(fact: type) -> None:
    reactions = Catalogue(gather(tollkey.platform, tollkey.payments)).reactions
    assert reactions.get(fact), "no resource reacts to it"
    said = re.compile(rf"call\.announce\((told := )?(events\.)?{fact.__name__}\(")
    assert any(said.search(file.read_text()) for file in SOURCE.rglob("*.py")), "nobody announces it"

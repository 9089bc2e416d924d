"""Live secret and restricted keys are found by the secret scanners in use."""

from __future__ import annotations

import pytest
from detect_secrets.plugins.stripe import StripeDetector

from tollkey.db import Ids
from tollkey.keys.token import Kind, generate


@pytest.mark.parametrize("kind", ["secret", "restricted"])
def test_detect_secrets_finds_a_live_key_in_a_line_of_code(kind: Kind) -> None:
    text = generate(kind, True, "1AaBbCcDdEeFfGgH", Ids.seeded(1))
    found = StripeDetector().analyze_line(filename="settings.py", line=f'API_KEY = "{text}"', line_number=1)
    assert [secret.type for secret in found] == ["Stripe Access Key"]


@pytest.mark.parametrize(("kind", "livemode"), [("publishable", True), ("publishable", False), ("secret", False)])
def test_what_is_not_dangerous_sets_off_no_alarm(kind: Kind, livemode: bool) -> None:
    text = generate(kind, livemode, "1AaBbCcDdEeFfGgH", Ids.seeded(1))
    assert not StripeDetector().analyze_line(filename="settings.py", line=text, line_number=1)

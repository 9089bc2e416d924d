"""The files for deployment name settings, metrics, paths and alarms that exist."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.api import Api
from tests.test_metrics import measured
from tollkey.health import Health
from tollkey.settings import Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
TEXTS = [*sorted(DEPLOY.iterdir()), ROOT / "Dockerfile", ROOT / "docs/runbook.md", ROOT / "docs/deployment.md"]
SETTINGS = {f"TOLLKEY_{setting.name.upper()}" for setting in fields(Settings)} | {
    "TOLLKEY_DATABASE_FILE",
    "TOLLKEY_DIRECT_DATABASE_FILE",
}


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    assert set(re.findall(r"TOLLKEY_[A-Z_]+", file.read_text())) <= SETTINGS


def test_alarms_and_panels_ask_for_metrics_that_a_server_has(api: Api) -> None:
    known = set(re.findall(r"^([a-z_]+)", measured(api), re.MULTILINE)) | {"up"}
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    (alarms,) = documents("alerts.yaml")
    asked = [panel["targets"][0]["expr"] for panel in panels] + [rule["expr"] for rule in alarms["groups"][0]["rules"]]
    for expression in asked:
        named = set(re.findall(r"\b(?:(?:tollkey|process|http_server)_[a-z_]+|up)\b", expression))
        assert named, expression
        assert named <= known | {"http_server_request_duration_seconds"}, expression


def test_the_runbook_has_every_alarm_and_no_other() -> None:
    (alarms,) = documents("alerts.yaml")
    told = re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    assert told == [rule["alert"] for rule in alarms["groups"][0]["rules"]]


def test_kubernetes_probes_paths_that_are_answered_and_waits_for_the_end() -> None:
    deployment, *_ = documents("kubernetes.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    probes = [container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert probes == ["/healthz", "/healthz", "/readyz"]
    assert set(probes) <= Health.paths
    given = {one["name"]: one["value"] for one in container["env"]}
    assert int(given["TOLLKEY_DRAIN_SECONDS"]) < int(given["TOLLKEY_STOP_SECONDS"])
    assert int(given["TOLLKEY_STOP_SECONDS"]) < pod["terminationGracePeriodSeconds"]
    assert pod["securityContext"]["runAsNonRoot"]


def test_containers_have_no_root_and_time_to_stop() -> None:
    (compose,) = documents("compose.yaml")
    assert compose["services"]["tollkey"]["stop_grace_period"] == "15s"
    assert compose["services"]["tollkey"]["cap_drop"] == ["ALL"]
    image = (ROOT / "Dockerfile").read_text()
    assert "USER 10001" in image
    assert "/healthz" in image


def test_the_image_has_what_metrics_need() -> None:
    """Nothing can be installed in it later: its file system is read-only."""
    assert "'.[server,metrics]'" in (ROOT / "Dockerfile").read_text()
    assert "prometheus-client==" in (ROOT / "requirements" / "server.txt").read_text()

"""What ``--deliver`` may name."""

from __future__ import annotations

import pytest

from tollkey.keys.vaults import DotEnv, KubernetesSecret, Vault, destination_of

ENVIRON = {"VAULT_ADDR": "https://vault.example/", "VAULT_TOKEN": "hvs.secret", "VAULT_NAMESPACE": "team"}


def test_each_form_names_a_place() -> None:
    vault = destination_of("vault:kv/data/acme#API_KEY", ENVIRON)
    assert isinstance(vault, Vault)
    assert (vault.address, vault.path, vault.name, vault.namespace) == (
        "https://vault.example", "kv/data/acme", "API_KEY", "team",
    )  # fmt: skip
    dotenv = destination_of("dotenv:dir/.env#KEY", {})
    assert isinstance(dotenv, DotEnv)
    assert (str(dotenv.file), dotenv.name) == ("dir/.env", "KEY")
    secret = destination_of("k8s:prod/acme@secret.yaml#KEY", {})
    assert isinstance(secret, KubernetesSecret)
    assert (secret.namespace, secret.name, str(secret.file), secret.key) == ("prod", "acme", "secret.yaml", "KEY")


def test_openbao_s_variables_are_read_too() -> None:
    environ = {"BAO_ADDR": "https://bao.example", "BAO_TOKEN": "s.x"}
    assert destination_of("vault:kv/data/acme#KEY", environ).place == "vault:kv/data/acme#KEY at bao.example"


@pytest.mark.parametrize(
    "target",
    ["", "vault", "vault:", "vault:kv/data/a", "vault:#K", "dotenv:.env", "k8s:a", "gcp:a#b", "vault:kv/data/a#"],
)
def test_other_forms_are_refused_with_those_there_are(target: str) -> None:
    with pytest.raises(ValueError, match="a destination is"):
        destination_of(target, ENVIRON)


def test_a_vault_needs_an_address_and_a_token() -> None:
    with pytest.raises(ValueError, match="VAULT_ADDR and VAULT_TOKEN"):
        destination_of("vault:kv/data/acme#KEY", {"VAULT_ADDR": "https://vault.example"})

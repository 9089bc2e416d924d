"""Reads where a key is to go: ``vault:kv/data/acme#API_KEY``, ``aws:acme/api#API_KEY``, ``dotenv:.env#API_KEY``,
``k8s:prod/acme-keys@secret.yaml#API_KEY``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tollkey.keys.delivering import Destination
from tollkey.keys.vaults.aws import AwsSecret, secrets_manager
from tollkey.keys.vaults.files import DotEnv, KubernetesSecret
from tollkey.keys.vaults.hashicorp import Vault

FORMS = "vault:MOUNT/data/SECRET#FIELD, aws:SECRET[#FIELD], dotenv:FILE#NAME or k8s:[NAMESPACE/]NAME[@FILE]#KEY"


def destination_of(target: str, environ: Mapping[str, str], show: Callable[[str], None] | None = None) -> Destination:
    """Return the place that a target names.

    environ: the environment variables: VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE and VAULT_CACERT, or the same with BAO_
    (OpenBao). show: prints a manifest that has no file. Raises ValueError, whose message contains no secret.
    """
    scheme, colon, rest = target.partition(":")
    place, _, name = rest.rpartition("#") if "#" in rest else (rest, "", "")
    if not colon or not place or (not name and scheme != "aws"):
        raise ValueError(f"a destination is {FORMS}")
    if scheme == "vault":
        return _vault(place, name, environ)
    if scheme == "aws":
        return AwsSecret(place, name, secrets_manager())
    if scheme == "dotenv":
        return DotEnv(Path(place), name)
    if scheme == "k8s":
        named, _, file = place.partition("@")
        namespace, _, secret = named.rpartition("/")
        return KubernetesSecret(secret, name, namespace, Path(file) if file else None, show)
    raise ValueError(f"a destination is {FORMS}")


def _vault(path: str, name: str, environ: Mapping[str, str]) -> Vault:
    def setting(what: str) -> str:
        return environ.get(f"VAULT_{what}") or environ.get(f"BAO_{what}") or ""

    address, token = setting("ADDR"), setting("TOKEN")
    if not address or not token:
        raise ValueError("a vault needs the variables VAULT_ADDR and VAULT_TOKEN (or BAO_ADDR and BAO_TOKEN)")
    return Vault(address.rstrip("/"), token, path, name, setting("NAMESPACE"), setting("CACERT") or None)

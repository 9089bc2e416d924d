"""Places that keep keys: HashiCorp Vault and OpenBao, AWS Secrets Manager, Kubernetes Secrets, dotenv files."""

from tollkey.keys.delivering import DeliveryFailed, Destination
from tollkey.keys.vaults.aws import AwsSecret, secrets_manager
from tollkey.keys.vaults.files import DotEnv, KubernetesSecret
from tollkey.keys.vaults.hashicorp import Vault
from tollkey.keys.vaults.targets import destination_of

__all__ = [
    "AwsSecret",
    "DeliveryFailed",
    "Destination",
    "DotEnv",
    "KubernetesSecret",
    "Vault",
    "destination_of",
    "secrets_manager",
]

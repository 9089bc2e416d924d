"""AWS Secrets Manager: a secret, or one field of a secret that is a JSON object. Needs boto3, the extra ``vaults``.

boto3 finds region and credentials as it always does: from the environment, a profile, or the role of the machine.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from tollkey.keys.delivering import DeliveryFailed


class SecretsManager(Protocol):
    """The operations of boto3's client that are used."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, object]:
        """Return a secret with its ``SecretString``."""

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> object:
        """Store a new version of a secret."""

    def create_secret(self, *, Name: str, SecretString: str) -> object:
        """Store a secret that does not exist."""


@dataclass(frozen=True, slots=True)
class AwsSecret:
    """A secret. id: its name or ARN. name: of a field in its JSON; empty for the whole secret. client: of boto3."""

    id: str
    name: str
    client: SecretsManager = field(repr=False)

    @property
    def place(self) -> str:
        """Where the secret is."""
        return f"aws:{self.id}{f'#{self.name}' if self.name else ''}"

    def store(self, text: str) -> None:
        """Store the text. Other fields of the secret stay. Raises DeliveryFailed."""
        try:
            before = self._read() if self.name else None
            if before is None and not self.name:
                self._put(text)
            elif before is None:
                self.client.create_secret(Name=self.id, SecretString=json.dumps({self.name: text}))
            else:
                self.client.put_secret_value(SecretId=self.id, SecretString=json.dumps({**before, self.name: text}))
        except DeliveryFailed:
            raise
        except Exception as error:  # boto3 makes its exceptions at run time
            raise _failed(error) from None

    def _put(self, text: str) -> None:
        try:
            self.client.put_secret_value(SecretId=self.id, SecretString=text)
        except Exception as error:
            if _code(error) != "ResourceNotFoundException":
                raise
            self.client.create_secret(Name=self.id, SecretString=text)

    def _read(self) -> dict[str, object] | None:
        """The fields of the secret, None if there is none. Raises DeliveryFailed if it is no JSON object."""
        try:
            text = self.client.get_secret_value(SecretId=self.id).get("SecretString")
        except Exception as error:
            if _code(error) == "ResourceNotFoundException":
                return None
            raise
        try:
            fields = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise DeliveryFailed(f"The secret {self.id} is no JSON object, so it has no field {self.name}.")
        return fields


def secrets_manager() -> SecretsManager:
    """Return boto3's client. Raises ValueError if boto3 is not installed or knows no region."""
    try:
        boto3 = importlib.import_module("boto3")
    except ModuleNotFoundError:
        raise ValueError("AWS Secrets Manager needs boto3: pip install 'tollkey[vaults]'") from None
    try:
        return cast(SecretsManager, boto3.client("secretsmanager"))
    except Exception as error:
        raise ValueError(f"AWS is not configured: {type(error).__name__}") from None


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    told = response.get("Error") if isinstance(response, dict) else None
    return str(told.get("Code", "")) if isinstance(told, dict) else ""


def _failed(error: Exception) -> DeliveryFailed:
    """The failure for an exception of boto3; one with a code was answered by AWS, so nothing was stored."""
    code = _code(error)
    name = type(error).__name__
    certain = code not in ("", "InternalServiceError") or name in ("EndpointConnectionError", "NoCredentialsError")
    return DeliveryFailed(f"AWS Secrets Manager refused the key: {code or name}.", uncertain=not certain)

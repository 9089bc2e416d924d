"""A secret in AWS Secrets Manager. The judges run the same against moto."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tollkey.keys.delivering import DeliveryFailed
from tollkey.keys.vaults import AwsSecret

TEXT = "sk_live_" + "a" * 40


class AwsError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {TEXT}")
        self.response = {"Error": {"Code": code}}


class Client:
    """boto3's client, as far as it is used. fails: raised by every call."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets
        self.fails: Exception | None = None

    def _of(self, id: str) -> str:
        if self.fails is not None:
            raise self.fails
        if id not in self.secrets:
            raise AwsError("ResourceNotFoundException")
        return self.secrets[id]

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, object]:
        return {"SecretString": self._of(SecretId)}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:
        self._of(SecretId)
        self.secrets[SecretId] = SecretString

    def create_secret(self, *, Name: str, SecretString: str) -> None:
        self.secrets[Name] = SecretString


@pytest.mark.parametrize("before", [None, "old"])
def test_a_whole_secret_is_made_or_replaced(before: str | None) -> None:
    client = Client() if before is None else Client(acme=before)
    AwsSecret("acme", "", client).store(TEXT)
    assert client.secrets == {"acme": TEXT}


@pytest.mark.parametrize("before", [None, {"OTHER": "x", "API_KEY": "old"}])
def test_a_field_is_set_and_the_others_stay(before: dict[str, str] | None) -> None:
    client = Client() if before is None else Client(acme=json.dumps(before))
    AwsSecret("acme", "API_KEY", client).store(TEXT)
    assert json.loads(client.secrets["acme"]) == {**(before or {}), "API_KEY": TEXT}


@pytest.mark.parametrize("before", ["plain text", "[1]"])
def test_a_secret_that_has_no_fields_is_left_as_it_is(before: str) -> None:
    client = Client(acme=before)
    with pytest.raises(DeliveryFailed, match="no JSON object"):
        AwsSecret("acme", "API_KEY", client).store(TEXT)
    assert client.secrets == {"acme": before}


@pytest.mark.parametrize(
    ("error", "uncertain"),
    [(AwsError("AccessDeniedException"), False), (AwsError("InternalServiceError"), True), (TimeoutError(TEXT), True)],
)
def test_a_failure_says_whether_the_key_may_have_arrived_and_nothing_else(error: Exception, uncertain: bool) -> None:
    client = Client()
    client.fails = error
    with pytest.raises(DeliveryFailed) as failed:
        AwsSecret("acme", "", client).store(TEXT)
    assert failed.value.uncertain is uncertain
    assert TEXT not in str(failed.value)


def test_a_place_names_secret_and_field() -> None:
    assert [AwsSecret("acme/api", name, Client()).place for name in ("", "KEY")] == ["aws:acme/api", "aws:acme/api#KEY"]

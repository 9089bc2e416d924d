"""HashiCorp Vault and OpenBao: one field of a secret in a key-value store, version 2, over their HTTP API.

Other fields of the secret stay. A field is patched where the token may do that; else the secret is read and written
with its version (check-and-set), so that nobody's change is lost. Source: the API documentation of the KV secrets
engine, version 2.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import httpx

from tollkey.keys.deadlines import within
from tollkey.keys.delivering import DeliveryFailed

_SECONDS, _LONGEST = 10.0, 30.0  # of each step, and of a whole answer
_MOST_BYTES = 1024 * 1024  # of an answer; a secret in the store has less
_ATTEMPTS = 3  # when somebody else writes the secret at the same time


@dataclass(frozen=True, slots=True)
class Vault:
    """A field of a secret.

    address: of the server, https:// (http:// on this machine only). token: left out of ``repr``. path: as the API has
    it, ``kv/data/acme``. name: of the field. namespace: of Vault Enterprise or OpenBao, if any.
    transport: for tests. answer_seconds: how long one answer may take.
    Raises ValueError for an address or path of another form.
    """

    address: str
    token: str = field(repr=False)
    path: str
    name: str
    namespace: str = ""
    ca_file: str | None = None
    transport: httpx.BaseTransport | None = field(default=None, repr=False, compare=False)
    answer_seconds: float = _LONGEST

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.port == 0:
            raise ValueError("the address of the vault must be https://host[:port]")
        if parts.scheme == "http" and not _on_this_machine(parts.hostname):
            raise ValueError("the address of the vault must be https://: a key is not sent over http://")
        if not all(value.isascii() and value.isprintable() for value in (self.token, self.namespace)):
            raise ValueError("the token or the namespace of the vault has characters that no header can hold")
        if not self.path.isprintable():
            raise ValueError("the path in the vault must be one line of text")
        if "/data/" not in f"/{self.path}" or any(part in ("", ".", "..") for part in self.path.split("/")):
            raise ValueError("the path in the vault must be MOUNT/data/SECRET, for example kv/data/acme")

    @property
    def place(self) -> str:
        """Where the secret is."""
        return f"vault:{self.path}#{self.name} at {urlsplit(self.address).netloc}"

    def store(self, text: str) -> None:
        """Store the text in the field. Raises DeliveryFailed."""
        headers = {"X-Vault-Token": self.token, "X-Vault-Request": "true", "Accept-Encoding": "identity"}
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        try:
            client = httpx.Client(
                base_url=self.address, headers=headers, timeout=_SECONDS, transport=self.transport,
                verify=ssl.create_default_context(cafile=self.ca_file) if self.ca_file else True,
                follow_redirects=False, trust_env=False,
            )  # fmt: skip
        except OSError as error:  # also what ssl raises
            message = f"The certificates in {self.ca_file} cannot be read: {type(error).__name__}."
            raise DeliveryFailed(message) from None
        with client:
            if not self._patch(client, text):
                self._write(client, text)

    def _patch(self, client: httpx.Client, text: str) -> bool:
        """Set the field alone; False if there is no such secret, or the token may not patch it."""
        merge = {"content-type": "application/merge-patch+json"}
        answer = self._send(client, "PATCH", {"data": {self.name: text}}, merge)
        if answer.status_code in (403, 404, 405):
            return False
        _check(answer)
        return True

    def _write(self, client: httpx.Client, text: str) -> None:
        for _ in range(_ATTEMPTS):
            fields, version = self._read(client)
            body = {"options": {"cas": version}, "data": {**fields, self.name: text}}
            answer = self._send(client, "POST", body, {})
            if not (answer.status_code == 400 and "check-and-set" in answer.text):
                _check(answer)
                return
        raise DeliveryFailed("The secret in the vault was changed at the same time, again and again. Try again.")

    def _read(self, client: httpx.Client) -> tuple[Mapping[str, object], int]:
        """The fields of the secret and its version; none and 0 if there is none. Raises DeliveryFailed."""
        answer = self._send(client, "GET", None, {})
        if answer.status_code not in (200, 404):
            _check(answer)
        data = _data(answer)
        fields, metadata = data.get("data"), data.get("metadata")
        version = metadata.get("version") if isinstance(metadata, dict) else 0
        return (fields if isinstance(fields, dict) else {}), version if isinstance(version, int) else 0

    def _send(self, client: httpx.Client, method: str, body: object, headers: dict[str, str]) -> httpx.Response:
        writes = method != "GET"

        def sent() -> httpx.Response:
            with client.stream(method, f"/v1/{quote(self.path)}", json=body, headers=headers) as answer:
                return httpx.Response(answer.status_code, content=_beginning(answer))

        try:
            return within(self.answer_seconds, sent)
        except TimeoutError:  # also while it sends its headers byte by byte
            raise DeliveryFailed("The vault did not answer in time.", uncertain=writes) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise DeliveryFailed(f"The vault cannot be reached: {type(error).__name__}.") from None
        except httpx.HTTPError as error:
            message = f"The vault did not answer: {type(error).__name__}."
            raise DeliveryFailed(message, uncertain=writes) from None


def _beginning(answer: httpx.Response, monotonic: Callable[[], float] = time.monotonic) -> bytes:
    """Return the body of an answer, or its first megabyte. Raises ReadTimeout for one that takes too long."""
    body, until = bytearray(), monotonic() + _LONGEST
    if answer.headers.get("content-encoding", "identity") != "identity":
        return b""  # it was not asked for, and a small body could expand to a very large one
    for part in answer.iter_bytes():
        body += part
        if monotonic() > until:
            raise httpx.ReadTimeout("the answer took too long")
        if len(body) > _MOST_BYTES:
            break
    return bytes(body[:_MOST_BYTES])


def _check(answer: httpx.Response) -> None:
    """Raise DeliveryFailed unless the answer is a success. What the vault said is not repeated: it may have secrets."""
    if answer.is_success:
        return
    reasons = {
        400: "it refused the request",
        403: "the token may not write there",
        404: "there is no such store of secrets",
        503: "it is sealed or in maintenance",
    }
    reason = reasons.get(answer.status_code, "it failed")
    uncertain = answer.status_code >= 500 and answer.status_code != 503
    raise DeliveryFailed(f"The vault answered {answer.status_code}: {reason}.", uncertain=uncertain)


def _data(answer: httpx.Response) -> Mapping[str, object]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, dict) else {}


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

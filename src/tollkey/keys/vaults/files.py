"""Files that keep a secret: a dotenv file, and the manifest of a Kubernetes Secret. Readable by their owner only."""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tollkey.keys.delivering import DeliveryFailed

_VARIABLE = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][0-9A-Za-z_.-]*)\s*=\s*(.*)", re.S)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_KEY = re.compile(r"[0-9A-Za-z._-]{1,253}")
_LARGEST = 1024 * 1024
_HEAD = "# Written by tollkey. Do not commit this file: base64 hides nothing.\n"


@dataclass(frozen=True, slots=True)
class DotEnv:
    """A variable in a dotenv file. Other lines stay as they are; the file is replaced as a whole.

    Raises ValueError for a name that is no name of a variable.
    """

    file: Path
    name: str

    def __post_init__(self) -> None:
        if not _VARIABLE.fullmatch(self.name):
            raise ValueError(f"{self.name[:40]!r} is no name of a variable")

    @property
    def place(self) -> str:
        """Where the secret is."""
        return f"dotenv:{self.file}#{self.name}"

    def store(self, text: str) -> None:
        """Set the variable. Raises DeliveryFailed."""
        file = Path(os.path.realpath(self.file))
        before = _read(file)
        _replace(file, _with_variable(before, self.name, text))


def _with_variable(before: str, name: str, value: str) -> str:
    """The text of a dotenv file with a variable set: in its place, or at the end."""
    lines, made, found = before.splitlines(keepends=True), [], False
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    while lines:
        whole = lines.pop(0)
        match = _ASSIGNMENT.match(whole)
        if match is None or whole.lstrip().startswith("#"):
            made.append(whole)
            continue
        quote = match[2][:1]
        while quote in ("'", '"') and _open(_ASSIGNMENT.match(whole), quote) and lines:
            whole += lines.pop(0)  # a quoted value may have several lines
        if match[1] == name:
            lead = whole[: match.start(1)]
            made.append(f"{lead}{name}={value}{end}")
            found = True
        else:
            made.append(whole)
    if not found:
        if made and not made[-1].endswith(("\n", "\r")):
            made[-1] += end
        made.append(f"{name}={value}{end}")
    return "".join(made)


def _open(match: re.Match[str] | None, quote: str) -> bool:
    """Whether a quoted value does not end yet."""
    value = match[2][1:] if match is not None else ""
    return quote not in value.replace(f"\\{quote}", "")


@dataclass(frozen=True, slots=True)
class KubernetesSecret:
    """The manifest of a Kubernetes Secret with one entry.

    name, namespace: of the Secret. key: of the entry. file: that it is written to; None to print it with ``show``, for
    ``kubectl apply -f -``. Raises ValueError for names that Kubernetes does not take.
    """

    name: str
    key: str
    namespace: str = ""
    file: Path | None = None
    show: Callable[[str], None] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or (self.namespace and not _NAME.fullmatch(self.namespace)):
            raise ValueError("the name of a Kubernetes Secret has lower-case letters, digits, hyphens and dots")
        if not _KEY.fullmatch(self.key):
            raise ValueError("the entry of a Kubernetes Secret has letters, digits, hyphens, underscores and dots")

    @property
    def place(self) -> str:
        """Where the secret is."""
        return f"k8s:{f'{self.namespace}/' if self.namespace else ''}{self.name}#{self.key}"

    def store(self, text: str) -> None:
        """Write the manifest. A file that was not written by this command is not replaced. Raises DeliveryFailed."""
        manifest = self.manifest(text)
        if self.file is None:
            if self.show is None:
                raise DeliveryFailed("There is nowhere to write the manifest to.")
            self.show(manifest)
            return
        file = Path(os.path.realpath(self.file))
        before = _read(file)
        if before and not before.startswith(_HEAD):
            raise DeliveryFailed(f"The file {self.file} was not written by tollkey: name another, or remove it.")
        _replace(file, manifest)

    def manifest(self, text: str) -> str:
        """Return the manifest as YAML."""
        lines = ["apiVersion: v1", "kind: Secret", "metadata:", f'  name: "{self.name}"']
        lines += [f'  namespace: "{self.namespace}"'] if self.namespace else []
        value = base64.b64encode(text.encode()).decode()
        return _HEAD + "\n".join([*lines, "type: Opaque", "data:", f'  "{self.key}": {value}']) + "\n"


def _read(file: Path) -> str:
    try:
        if file.exists() and file.stat().st_size > _LARGEST:
            raise DeliveryFailed(f"The file {file} is too large.")
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise DeliveryFailed(f"The file {file} is not UTF-8.") from None
    except OSError as error:
        raise DeliveryFailed(f"The file {file} cannot be read: {error.strerror}.") from None


def _replace(file: Path, text: str) -> None:
    """Replace a file as a whole, so that it is never half written; only its owner may read it."""
    name = None
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(name, file)
    except OSError as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        raise DeliveryFailed(f"The file {file} cannot be written: {error.strerror}.") from None

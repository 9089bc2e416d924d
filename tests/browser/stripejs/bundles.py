"""Bundles of the shop's application with the real packages from npm, made once by esbuild and kept in ``.venv``."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from filelock import FileLock

from tests.contract.conftest import ROOT, node_binaries

SHOP = Path(__file__).parent / "shop"
KEPT = ROOT / ".venv" / "stripejs"
#: What is installed for the ordinary tests: the newest of each, as people install it.
NEWEST = (
    "@stripe/stripe-js@10",
    "@stripe/react-stripe-js@7",
    "react@19",
    "react-dom@19",
    "esbuild@0.25",
    "typescript@5",
)


def installed(*packages: str, kept: Path = KEPT) -> Path:
    """A folder below ``kept`` with these packages in its ``node_modules``."""
    folder = kept / hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    kept.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "installed").exists():
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text('{"private": true}')
            _, npm = node_binaries()
            words = [*npm, "install", "--silent", "--no-audit", "--no-fund", "--legacy-peer-deps", *packages]
            subprocess.run(words, cwd=folder, check=True, timeout=300)
            (folder / "installed").touch()
    return folder


def bundle(name: str = "app.jsx", packages: tuple[str, ...] = NEWEST, kept: Path = KEPT) -> bytes:
    """An application of ``shop`` as one script."""
    folder = installed(*packages, kept=kept)
    source = (SHOP / name).read_bytes()
    made = folder / f"{name}.{hashlib.sha256(source).hexdigest()[:12]}.js"
    with FileLock(f"{made}.lock"):
        if not made.exists():
            (folder / name).write_bytes(source)
            program = folder / "node_modules" / ".bin" / "esbuild"
            define = '--define:process.env.NODE_ENV="development"'
            words = [program, name, "--bundle", f"--outfile={made}", define, "--log-level=error"]
            subprocess.run([str(word) for word in words], cwd=folder, check=True, timeout=120)
    return made.read_bytes()

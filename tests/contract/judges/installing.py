"""Installs what judges from the package registries, each in a folder of its own below ``.venv/judges``.

Always the newest version: `python3 dev.py judges` begins by removing the folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.contract.conftest import ROOT, node_binaries

KEPT = ROOT / ".venv" / "judges"
PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 900


def python_with(name: str, *packages: str) -> Path:
    """A Python of its own with these packages. Returns its folder; the interpreter is ``bin/python``."""

    def install(folder: Path) -> None:
        venv.create(folder, with_pip=True)
        run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)

    return _once(name, install)


def node_with(name: str, *packages: str) -> Path:
    """A folder with these packages in its ``node_modules``."""

    def install(folder: Path) -> None:
        (folder / "package.json").write_text('{"private": true}')
        _, npm = node_binaries()
        run(*npm, "install", "--silent", "--no-audit", "--no-fund", *packages, folder=folder)

    return _once(name, install)


def go_program(name: str, source: str, module: str, majors: range) -> Path:
    """A Go program, built with the newest major version of a module.

    source: a file in ``programs``; ``STRIPE_MAJOR`` in it stands for the version. module: without its major version.
    majors: those to ask for, oldest first: the module proxy has a path for each major version, and no list of them.
    """

    def install(folder: Path) -> None:
        go = needed("go")
        (folder / "go.mod").write_text("module judge\n\ngo 1.24\n")
        newest = ""
        for major in majors:
            if attempt(go, "get", f"{module}/v{major}@latest", folder=folder).returncode != 0:
                break
            newest = f"v{major}"
        assert newest, f"{module} is not to be had"
        (folder / "major").write_text(newest)

    folder = _once(name, install)
    text = (PROGRAMS / source).read_text().replace("STRIPE_MAJOR", (folder / "major").read_text())
    main, program = folder / "main.go", folder / "program"
    if not program.exists() or main.read_text() != text:
        main.write_text(text)
        run(needed("go"), "mod", "tidy", folder=folder)
        run(needed("go"), "build", "-o", program, ".", folder=folder)
    return program


def go_installed(name: str, package: str) -> Path:
    """A program that ``go install`` builds. package: with its version, such as ``@latest``. Returns its path."""

    def install(folder: Path) -> None:
        run(needed("go"), "install", package, environ={"GOBIN": str(folder)})

    return _once(name, install) / name


def java_with(name: str, group: str, artifact: str, major: str = r"\d+") -> Path:
    """A folder with the newest release of a Maven artifact and what it needs. Betas are not releases.

    major: a pattern of the major versions among which it is the newest.
    """

    def install(folder: Path) -> None:
        maven = (needed("mvn"), "-q", "-B", f"-Dmaven.repo.local={folder / 'repository'}")
        # Asking for the newest version brings the list of all of them.
        run(*maven, "dependency:get", f"-Dartifact={group}:{artifact}:RELEASE", "-Dtransitive=false", folder=folder)
        home = folder / "repository" / group.replace(".", "/") / artifact
        listed = next(home.glob("maven-metadata-*.xml")).read_text()
        versions = re.findall(rf"<version>({major})\.(\d+)\.(\d+)</version>", listed)
        newest = ".".join(max(versions, key=lambda version: [int(part) for part in version]))
        (folder / "pom.xml").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>judge</groupId><artifactId>judge</artifactId><version>1</version><dependencies><dependency>"
            f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{newest}</version>"
            "</dependency></dependencies></project>"
        )
        run(*maven, "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}", folder=folder)

    return _once(name, install) / "lib"


def needed(program: str) -> str:
    """The path of a program that the judges need on the machine; CONTRIBUTING.md lists them."""
    path = shutil.which(program)
    assert path is not None, f"the judges need {program} on this machine (CONTRIBUTING.md)"
    return path


def attempt(
    *command: object, folder: Path | None = None, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever it says."""
    words = [str(word) for word in command]
    settings = {**os.environ, **(environ or {})}
    return subprocess.run(words, cwd=folder, env=settings, capture_output=True, text=True, timeout=SECONDS, check=False)


def run(*command: object, folder: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """Run a command, which has to succeed. Returns what it printed."""
    done = attempt(*command, folder=folder, environ=environ)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def lines_of_json(text: str) -> dict[str, object]:
    """One dictionary of the JSON objects that stand each on a line."""
    return {name: value for line in text.splitlines() if line[:1] == "{" for name, value in json.loads(line).items()}


def _once(name: str, install: Callable[[Path], None]) -> Path:
    """Install into a folder unless that was done before."""
    folder = KEPT / name
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(str(KEPT / f"{name}.lock")):
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            print(f"installing {name} …", file=sys.stderr)
            install(folder)
            (folder / "installed").touch()
    return folder


def debian(name: str, program: str, *packages: str) -> tuple[Path, dict[str, str]]:
    """A program of Debian's packages, unpacked without being installed.

    program: its path within the package. packages: that of the program first, then libraries that it needs.
    Returns the program and the environment that it runs in. The test is skipped where there is no Debian.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        pytest.skip(f"{name} is taken from Debian's packages, and this is no Debian")

    def install(folder: Path) -> None:
        run("apt-get", "-qq", "download", *packages, folder=folder)
        for package in folder.glob("*.deb"):
            run("dpkg", "-x", package, folder)

    folder = _once(name, install)
    libraries = [str(path) for path in folder.glob("usr/lib/*-linux-gnu*")]
    return folder / program, {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}

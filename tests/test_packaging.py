"""What an install brings: the locks fit pyproject.toml, and the library needs no more than its own dependencies."""

from __future__ import annotations

import re
import subprocess
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import dev
from tollkey import USER_AGENT, __version__

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LIBRARY = [Requirement(each) for each in PROJECT["dependencies"]]


def locked(name: str) -> dict[str, list[tuple[Version, str]]]:
    """A lock's packages: for each the versions, of which environment markers choose one, with what is written below."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    found: dict[str, list[tuple[Version, str]]] = {}
    for package, version, rest in re.findall(r"(?m)^([\w.-]+)(?:\[[\w,]+\])?==(\S+)((?:.*\\\n)+.*)", text):
        found.setdefault(canonicalize_name(package), []).append((Version(version), rest))
    return found


def wanted(extras: tuple[str, ...]) -> Iterator[Requirement]:
    """What pyproject.toml asks for with these extras; one that names the project's own extras stands for these."""
    yield from LIBRARY
    for extra in extras:
        for requirement in map(Requirement, EXTRAS[extra]):
            if requirement.name == PROJECT["name"]:
                yield from wanted(tuple(requirement.extras))
            else:
                yield requirement


@pytest.mark.parametrize("name", dev.LOCKS)
def test_a_lock_holds_what_pyproject_asks_for_in_versions_it_allows(name: str) -> None:
    lock = locked(name)
    unfit = [
        str(requirement)
        for requirement in wanted(dev.LOCKS[name])
        if not (found := lock.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version) for version, _ in found)
    ]
    assert unfit == [], "run: python3 dev.py lock"


@pytest.mark.parametrize("name", dev.LOCKS)
def test_a_lock_has_a_hash_for_each_package(name: str) -> None:
    assert [
        package for package, found in locked(name).items() for _, rest in found if "--hash=sha256:" not in rest
    ] == []


def test_the_locks_agree_on_versions() -> None:
    first = locked("dev")
    for name in dev.LOCKS:
        for package, found in locked(name).items():
            if package in first:
                assert {version for version, _ in found} <= {version for version, _ in first[package]}, package


def test_private_methods_are_overridden_in_versions_that_were_tried() -> None:
    (uvicorn,) = [each for each in wanted(("server",)) if each.name == "uvicorn"]
    assert not uvicorn.specifier.contains("1.0")
    assert uvicorn.specifier.contains(distribution("uvicorn").version)


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PROJECT["dynamic"]
    assert f"Tollkey/{__version__}" == USER_AGENT


def needed(requirements: list[Requirement]) -> set[str]:
    """The names of all packages that these requirements bring into an environment like this one."""
    names: set[str] = set()
    for requirement in requirements:
        if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
            names.add(canonicalize_name(requirement.name))
            names |= needed([Requirement(each) for each in distribution(requirement.name).requires or ()])
    return names


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the source and the library's dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, check=True)
    packages = Path(done.stdout.strip())
    for name in needed(LIBRARY):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(found.locate_file(top))))
    (packages / "tollkey.pth").write_text(f"{ROOT / 'src'}\n")
    return python


def test_the_library_needs_three_packages() -> None:
    assert needed(LIBRARY) == {"cryptography", "cffi", "pycparser"}


def test_keys_are_made_and_verified_with_the_library_s_dependencies_alone(alone: Path, tmp_path: Path) -> None:
    script = """
from tollkey.keys import KeyService, Permission
from tollkey.keys.asgi import KeyGate
from tollkey.keys.wsgi import KeyGate as WsgiGate
keys = KeyService.open("keys.db", [Permission("report", "Reports")])
key, text = keys.create("Nightly", permissions=["report_read"], account="alice")
print(keys.verify(text) == key, bool(keys.verify(text + "x")))
keys.close()
"""
    done = subprocess.run([alone, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True False\n", "")


def test_a_database_or_command_that_needs_an_extra_names_it(alone: Path, tmp_path: Path) -> None:
    script = "from tollkey.db import open_database; open_database('postgresql://h/d')"
    done = subprocess.run([alone, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr.endswith("ValueError: PostgreSQL needs its driver: pip install 'tollkey[postgres]'\n")
    done = subprocess.run(
        [alone, "-I", "-m", "tollkey", "serve"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'tollkey[server]'" in done.stderr
    assert "Traceback" not in done.stderr

#!/usr/bin/env python3
"""The two commands of the README, on a machine that has only Python 3.11+.

    python3 dev.py serve [options of `tollkey serve`]    start a server with a ready test account
    python3 dev.py test [options of pytest]              install what is needed, run every check and test
    python3 dev.py shuffle [RUNS] [options of pytest]    run the tests in random order, each time with another seed
                                                         (3 runs unless given)

Both keep a virtual environment in .venv and install into it when pyproject.toml has changed.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")


def install(extra: str) -> None:
    """Make the environment, and install the project into it when it is new or has changed."""
    mark = hashlib.sha256(
        (ROOT / "pyproject.toml").read_bytes() + sys.version.encode() + str(ROOT).encode()
    ).hexdigest()
    stamp = VENV / f"installed{extra.strip('[]') and '-' + extra.strip('[]')}"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == mark:
        return
    if not PYTHON.exists():
        print("Making a virtual environment in .venv …", file=sys.stderr)
        venv.create(VENV, with_pip=True)
    print("Installing what is needed …", file=sys.stderr)
    run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", f".{extra}")
    stamp.write_text(mark)


def run(*command: object) -> None:
    """Run a command and end this one with its exit code when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def install_browser() -> None:
    """Debian's chromium for the browser tests, where none is there and this is a machine that may install it."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return
    if shutil.which("apt-get") is None or os.name == "nt" or os.geteuid() != 0:
        print("No Chromium here: install one (apt-get install chromium) to run the browser tests.", file=sys.stderr)
        return
    print("Installing Chromium for the browser tests …", file=sys.stderr)
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL, "check": False}
    subprocess.run(["apt-get", "update", "-qq"], **quiet)
    subprocess.run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"], **quiet)


def check(arguments: list[str]) -> None:
    """Lint, types, the direction of imports, generated docs, tests."""
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "ruff", "format", "--check", "--quiet", ".")
    run(PYTHON, "-m", "mypy")
    run(BIN / "lint-imports")
    run(PYTHON, "tools/make_docs.py", "--check")
    run(PYTHON, "-m", "pytest", "-p", "no:randomly", "-n", "2", "--dist", "loadfile", *arguments)


def shuffle(arguments: list[str]) -> None:
    """The whole suite in random order: a test that another test, a hash seed or chance decides is a defect.

    The seed of each run is printed, and decides the order, Python's hashes and Hypothesis' examples; a failure ends
    the command.
    """
    runs = int(arguments.pop(0)) if arguments[:1] and arguments[0].isdigit() else 3
    for number in range(runs):
        seed = str(secrets.randbelow(2**32))
        print(f"Run {number + 1} of {runs}, seed {seed}", file=sys.stderr)
        os.environ.update(PYTHONHASHSEED=seed, TOLLKEY_TEST_SEED=seed)
        run(
            PYTHON,
            "-m",
            "pytest",
            f"--randomly-seed={seed}",
            f"--hypothesis-seed={seed}",
            "-n",
            "2",
            "--dist",
            "loadfile",
            *arguments,
        )


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    if arguments[:1] == ["serve"]:
        install("")
        os.execv(PYTHON, [str(PYTHON), "-m", "tollkey", *arguments])
    elif arguments[:1] == ["test"]:
        install("[dev]")
        install_browser()
        check(arguments[1:])
    elif arguments[:1] == ["shuffle"]:
        install("[dev]")
        install_browser()
        shuffle(arguments[1:])
    else:
        print(__doc__)
        raise SystemExit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)


if __name__ == "__main__":
    main(sys.argv[1:])

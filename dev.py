#!/usr/bin/env python3
"""The commands of this repository, on a machine that has only Python 3.11 or newer.

    python3 dev.py serve [options of `tollkey serve`]    start a server with a ready test account
    python3 dev.py test [options of pytest]              run every check and test
    python3 dev.py coverage [options of pytest]          run the tests and print the line coverage of the source;
                                                         fail below the floor in pyproject.toml
    python3 dev.py shuffle [RUNS] [options of pytest]    run the tests in random order, each time with another seed
                                                         (3 runs unless given)
    python3 dev.py judges [options of pytest]            let independent programs judge a running server, each in its
                                                         newest version: SDKs, the Stripe CLI, copiers of accounts
    python3 dev.py docs [options of `mkdocs build`]      build the documentation site into site/
    python3 dev.py lock [--upgrade]                      write requirements/*.txt anew from pyproject.toml

Each keeps a virtual environment in .venv and installs into it, from the hashes in requirements/, what has changed.
"""

import hashlib
import os
import queue
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
#: The locks, each with the extras of pyproject.toml that it covers. `dev` comes first: the others take its versions.
LOCKS = {"dev": ("dev",), "docs": ("docs",), "server": ("server", "metrics", "iso8583")}
#: Four processes on two cores: tests wait for the disk, for PostgreSQL and for servers that they start.
TESTS = ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder")


def install(*locks: str) -> None:
    """Make the environment, and install the locked packages and the project into it where something has changed.

    locks: names in ``LOCKS``.
    """
    for name in locks:
        lock, stamp = ROOT / "requirements" / f"{name}.txt", VENV / f"installed-{name}"
        parts = (lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(ROOT).encode())
        mark = hashlib.sha256(b"".join(parts)).hexdigest()
        if PYTHON.exists() and stamp.exists() and stamp.read_text() == mark:
            continue
        if not PYTHON.exists():
            say("Creating a virtual environment in .venv …")
            venv.create(VENV, with_pip=True)
        say(f"Installing requirements/{name}.txt …")
        pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install")
        count = len(re.findall(r"(?m)^\S+==", lock.read_text()))
        follow(Progress(count), *pip, "--require-hashes", "-r", lock)
        run(*pip, "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
        stamp.write_text(mark)


class Progress:
    """What a person sees while pip or apt works: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, packages: int = 0) -> None:
        """packages: how many packages the lock names, of which markers may leave some out; 0 where nobody knows."""
        self.packages = packages
        self.found = 0
        self.state = "starting"
        self.begun = self.shown = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def read(self, line: str) -> None:
        """Take one line of output."""
        if found := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
            self.found += 1
            self.state = f"{min(self.found, self.packages)} of {self.packages} packages: {found[1]}"
        elif line.startswith("Installing collected packages"):
            self.state = "unpacking"
        elif found := re.match(r"(?:Get:\d+|Unpacking|Setting up) .*", line):
            self.state = found[0][:60]

    def show(self, last: bool = False) -> None:
        """Print the state, on a terminal each time, elsewhere every five seconds."""
        now = time.monotonic()
        text = f"  {now - self.begun:3.0f} s  {'done' if last else self.state}"
        if self.terminal:
            print(f"\r{text:<79}", end="\n" if last else "", file=sys.stderr, flush=True)
        elif last or now - self.shown >= 5:
            say(text)
            self.shown = now


def follow(progress: Progress, *command: object) -> None:
    """Run a command and show its progress; when it fails, print its last lines and end this one with its exit code."""
    lines: queue.Queue[str | None] = queue.Queue()
    output: list[str] = []
    process = subprocess.Popen(
        [str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def forward() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=forward, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            progress.show()
            continue
        if line is None:
            break
        output.append(line)
        progress.read(line)
        progress.show()
    if code := process.wait():
        print("\n" + "".join(output[-20:]), file=sys.stderr)
        raise SystemExit(code)
    progress.show(last=True)


def say(text: str) -> None:
    """Print a line for the person who waits. Standard output belongs to the command."""
    print(text, file=sys.stderr, flush=True)


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
        say("No Chromium here: install one (apt-get install chromium) to run the browser tests.")
        return
    say("Installing Chromium for the browser tests …")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    progress = Progress()
    follow(progress, "apt-get", "update")
    follow(progress, "apt-get", "install", "-y", "--no-install-recommends", "chromium")


def check(arguments: list[str]) -> None:
    """Lint, types, the direction of imports, generated docs, tests. One that fails before the tests ends them."""
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "ruff", "format", "--check", "--quiet", ".")
    types = subprocess.Popen([str(PYTHON), "-m", "mypy"], cwd=ROOT)  # takes a minute, while a core is idle
    tests = None
    try:
        run(BIN / "lint-imports")
        run(PYTHON, "tools/make_docs.py", "--check")
        tests = subprocess.Popen([str(PYTHON), "-m", "pytest", "-p", "no:randomly", *TESTS, *arguments], cwd=ROOT)
        if code := types.wait() or tests.wait():
            raise SystemExit(code)
    finally:
        types.kill()  # without effect on one that has ended
        if tests and tests.poll() is None:
            if not isinstance(sys.exc_info()[1], KeyboardInterrupt):  # which a terminal sends to both
                tests.send_signal(signal.SIGINT)  # so that it ends the servers that it has started
            tests.wait()


def cover(arguments: list[str]) -> None:
    """The tests, with the line coverage of ``src/tollkey``; processes that tests start are not counted."""
    run(PYTHON, "-m", "pytest", "-p", "no:randomly", *TESTS, "--cov", "--cov-report=term:skip-covered", *arguments)


def shuffle(arguments: list[str]) -> None:
    """The whole suite in random order: a test that another test, a hash seed or chance decides is a defect.

    The seed of each run is printed, and decides the order, Python's hashes and Hypothesis' examples; a failure ends
    the command. Tables of rules, which `test` runs on SQLite alone, run on PostgreSQL too.
    """
    runs = int(arguments.pop(0)) if arguments[:1] and arguments[0].isdigit() else 3
    for number in range(runs):
        seed = str(secrets.randbelow(2**32))
        say(f"Run {number + 1} of {runs}, seed {seed}")
        os.environ.update(PYTHONHASHSEED=seed, TOLLKEY_TEST_SEED=seed, TOLLKEY_TEST_TABLES="all")
        run(PYTHON, "-m", "pytest", f"--randomly-seed={seed}", f"--hypothesis-seed={seed}", *TESTS, *arguments)


def judge(arguments: list[str]) -> None:
    """The tests of tests/contract/judges. What they install is installed anew, so that it is the newest."""
    shutil.rmtree(VENV / "judges", ignore_errors=True)
    run(PYTHON, "-m", "pytest", "-p", "no:randomly", *TESTS, "tests/contract/judges", *arguments)


def lock(arguments: list[str]) -> None:
    """Resolve pyproject.toml for every Python and platform it supports, and write the versions with their hashes."""
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    run(PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "uv>=0.13,<0.14")
    for name, extras in LOCKS.items():
        command = [BIN / "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
        command += ["--generate-hashes", "--custom-compile-command", "python3 dev.py lock"]
        command += [part for extra in extras for part in ("--extra", extra)]
        command += [] if name == "dev" else ["--constraint", "requirements/dev.txt"]
        run(*command, "pyproject.toml", "requirements/build.in", "-o", f"requirements/{name}.txt", *arguments)


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    if sys.version_info < (3, 11):  # noqa: UP036 (an older python3 may well run this file)
        raise SystemExit(f"Tollkey needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    name, rest = (arguments[0] if arguments else ""), arguments[1:]
    if name == "serve":
        install("server")
        os.execv(PYTHON, [str(PYTHON), "-m", "tollkey", *arguments])
    # Images often set this. The tests start hundreds of processes, each of which would compile the whole program anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if name in ("test", "coverage", "shuffle"):
        install("dev")
        install_browser()
        {"test": check, "coverage": cover, "shuffle": shuffle}[name](rest)
    elif name == "judges":
        install("dev")
        judge(rest)
    elif name == "docs":
        install("server", "docs")
        run(PYTHON, "-m", "mkdocs", "build", "--strict", *rest)
    elif name == "lock":
        lock(rest)
    else:
        print(__doc__)
        raise SystemExit(0 if name in ("-h", "--help") else 2)


if __name__ == "__main__":
    main(sys.argv[1:])

"""nginx in front of an application, with and without a key for each request, interleaved.

    python bench/nginx.py [--seconds 3] [--rounds 5] [--app bench/bare.py:app]

nginx and wrk are taken from Debian's packages. Prints requests per second, and the processor time that a request takes
of nginx, of what it asks, and of the application, for three configurations: ``plain`` asks nobody, ``keyed`` asks
``tollkey keys serve`` about each request, ``floor`` asks another nginx that answers 204 to everything: what asking
costs, whoever answers. The application is a FastAPI application unless another one is named. Everything runs on this
machine.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.contract.judges.installing import debian  # noqa: E402
from tests.contract.judges.proxies import EXAMPLES, free_port, key_server  # noqa: E402
from tollkey.keys import KeyService  # noqa: E402

FASTAPI = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/{path:path}")
async def reports(path: str) -> dict[str, list[str]]:
    return {"reports": [path]}
"""


def configuration(folder: Path, port: int, auth: int, app: int, floor: int) -> Path:
    """The documented configuration, with a location that asks, one that asks nginx, and one that does not."""
    for name in ("tollkey_server.conf", "tollkey_location.conf"):
        (folder / name).write_text((EXAMPLES / "nginx" / name).read_text())
    asking = (folder / "tollkey_location.conf").read_text()
    (folder / "floor_location.conf").write_text(asking.replace("/_tollkey;", "/_floor;"))
    question = (folder / "tollkey_server.conf").read_text()
    question = question[question.index("location = /_tollkey {") :]
    question = question[: question.index("}") + 1]
    (folder / "floor_server.conf").write_text(
        question.replace("_tollkey", "_floor", 1).replace("//tollkey/", "//floor/")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"""{beginning(folder, "front")}
    upstream tollkey {{ server 127.0.0.1:{auth}; keepalive 32; }}
    upstream floor {{ server 127.0.0.1:{floor}; keepalive 32; keepalive_requests 1000000; }}
    upstream application {{ server 127.0.0.1:{app}; keepalive 32; }}
    server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000;
        include tollkey_server.conf; include floor_server.conf;
        location /keyed/ {{ include tollkey_location.conf; proxy_pass http://application; }}
        location /floor/ {{ include floor_location.conf; proxy_pass http://application; }}
        location /plain/ {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://application; }}
    }}
}}"""
    )
    return path


def beginning(folder: Path, name: str) -> str:
    """The part that both nginx have in common. Each is one process, whose processor time is read."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{name}-{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    return (
        f"{user} daemon off; master_process off; pid {folder}/{name}.pid; error_log {folder}/{name}.log; events {{}}"
        f" http {{ access_log off; {temporary}"
    )


def used(process: subprocess.Popen[Any]) -> float:
    """The processor time that a process has used, in seconds (proc(5))."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answered(url: str, headers: dict[str, str]) -> None:
    """Wait until a URL is answered with 200."""
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5):
            return
        time.sleep(0.05)
    raise SystemExit(f"{url} is not answered")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--app", default="", help="module:name of an ASGI application")
    options = parser.parse_args()
    nginx, _ = debian("nginx", "usr/sbin/nginx", "nginx")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = folder / "tollkey.toml"
        limits = re.compile(r"\[limits.*", re.S)
        config.write_text(limits.sub("", (EXAMPLES / "tollkey.toml").read_text()))
        auth, asked = stack.enter_context(key_server(folder, config))
        (folder / "measured.py").write_text(FASTAPI)
        port, app, floor = free_port(), free_port(), free_port()

        def start(*command: str) -> subprocess.Popen[Any]:
            running = stack.enter_context(subprocess.Popen(command, cwd=folder))
            stack.callback(running.terminate)
            return running

        uvicorn = (sys.executable, "-m", "uvicorn", options.app or "measured:app", "--port", str(app))
        application = start(*uvicorn, "--log-level", "critical")
        nothing = folder / "nothing.conf"
        listening = f"server {{ listen 127.0.0.1:{floor}; keepalive_requests 1000000; return 204; }} }}"
        nothing.write_text(f"{beginning(folder, 'floor')} {listening}")
        floor_nginx = start(str(nginx), "-e", f"{folder}/start.log", "-c", str(nothing))
        front = start(str(nginx), "-e", f"{folder}/start.log", "-c", str(configuration(folder, port, auth, app, floor)))
        with KeyService.open(str(folder / "keys.db"), config=config) as keys:
            text = keys.create(permissions=["report_read"])[1]
        answers = {"plain": None, "floor": floor_nginx, "keyed": asked}
        measured = {name: Measured({"nginx": front, "application": application}, answers[name]) for name in answers}
        for name in measured:
            answered(f"http://127.0.0.1:{port}/{name}/7", {"Authorization": f"Bearer {text}"})
        for _ in range(options.rounds):
            for name, one in measured.items():
                one.round(f"http://127.0.0.1:{port}/{name}/7", text, options.seconds)
        report(measured)


class Measured:
    """The rounds of one configuration: requests a second, and microseconds of each process for a request."""

    def __init__(self, processes: dict[str, subprocess.Popen[Any]], asked: subprocess.Popen[Any] | None) -> None:
        self._processes = {**processes, **({} if asked is None else {"asked": asked})}
        self.rates: list[float] = []
        self.taken: dict[str, list[float]] = {name: [] for name in self._processes}

    def round(self, url: str, key: str, seconds: int) -> None:
        """Send requests for a time. Raises SystemExit if one is refused."""
        wrk, libraries = debian("wrk", "usr/bin/wrk", "wrk", "libluajit-5.1-2")
        command = [str(wrk), "-t1", "-c16", f"-d{seconds}s", "-H", f"Authorization: Bearer {key}", url]
        before = {name: used(process) for name, process in self._processes.items()}
        done = subprocess.run(command, env={**os.environ, **libraries}, capture_output=True, text=True, check=True)
        if "Non-2xx" in done.stdout:
            raise SystemExit(done.stdout)
        count = int(re.findall(r"(\d+) requests in", done.stdout)[0])
        self.rates.append(float(re.findall(r"Requests/sec: +([\d.]+)", done.stdout)[0]))
        for name, process in self._processes.items():
            self.taken[name].append((used(process) - before[name]) / count * 1e6)


def report(measured: dict[str, Measured]) -> None:
    """Print the medians, and their ratios to ``plain``."""
    plain = measured["plain"]
    whole = sum(median(found) for found in plain.taken.values())
    for name, one in measured.items():
        taken = {part: median(found) for part, found in one.taken.items()}
        parts = ", ".join(f"{part} {found:.0f}" for part, found in taken.items())
        rate, total = median(one.rates), sum(taken.values())
        print(
            f"{name:6} {rate:7,.0f}/s  {rate / median(plain.rates):5.2f} of plain;"
            f"  {total:4.0f} µs of processor time a request ({parts}), {whole / total:5.2f}"
        )


if __name__ == "__main__":
    main()

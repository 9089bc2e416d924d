"""nginx in front of an application, with and without a key for each request, interleaved.

    python bench/nginx.py [--seconds 3] [--rounds 5] [--app bench/bare.py:app]

nginx and wrk are taken from Debian's packages. Prints requests per second and the ratio of the medians: what is left of
nginx's rate when it asks ``tollkey keys serve`` about each request. The application is a FastAPI application unless
another one is named. Everything runs on this machine, so with few processors the key server takes from the application.
"""

from __future__ import annotations

import argparse
import json
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


def configuration(folder: Path, port: int, auth: int, app: int) -> Path:
    """The documented configuration, with a location that asks and one that does not."""
    for name in ("tollkey_server.conf", "tollkey_location.conf"):
        (folder / name).write_text((EXAMPLES / "nginx" / name).read_text())
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(
        f"""{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}
http {{ access_log off; {temporary}
    upstream tollkey {{ server 127.0.0.1:{auth}; keepalive 32; }}
    upstream application {{ server 127.0.0.1:{app}; keepalive 32; }}
    server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000; include tollkey_server.conf;
        location /keyed/ {{ include tollkey_location.conf; proxy_pass http://application; }}
        location /plain/ {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://application; }}
    }}
}}"""
    )
    return path


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
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--app", default="", help="module:name of an ASGI application")
    options = parser.parse_args()
    nginx, _ = debian("nginx", "usr/sbin/nginx", "nginx")
    wrk, libraries = debian("wrk", "usr/bin/wrk", "wrk", "libluajit-5.1-2")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = folder / "tollkey.toml"
        limits = re.compile(r"\[limits.*", re.S)
        config.write_text(limits.sub("", (EXAMPLES / "tollkey.toml").read_text()))
        auth, _ = stack.enter_context(key_server(folder, config))
        (folder / "measured.py").write_text(FASTAPI)
        port, app = free_port(), free_port()
        for command in (
            [
                sys.executable,
                "-m",
                "uvicorn",
                options.app or "measured:app",
                "--port",
                str(app),
                "--log-level",
                "critical",
            ],
            [str(nginx), "-e", f"{folder}/start.log", "-c", str(configuration(folder, port, auth, app))],
        ):
            running = stack.enter_context(subprocess.Popen(command, cwd=folder))
            stack.callback(running.terminate)
        with KeyService.open(str(folder / "keys.db"), config=config) as keys:
            text = keys.create(permissions=["report_read"])[1]
        header = f"Authorization: Bearer {text}"
        rates: dict[str, list[float]] = {"plain": [], "keyed": []}
        for name in rates:
            answered(f"http://127.0.0.1:{port}/{name}/7", {"Authorization": f"Bearer {text}"})
        for _ in range(options.rounds):
            for name, measured in rates.items():
                command = [
                    str(wrk),
                    "-t1",
                    "-c16",
                    f"-d{options.seconds:g}s",
                    "-H",
                    header,
                    f"http://127.0.0.1:{port}/{name}/7",
                ]
                done = subprocess.run(
                    command, env={**os.environ, **libraries}, capture_output=True, text=True, check=True
                )
                assert "Non-2xx" not in done.stdout, done.stdout
                measured.append(float(re.findall(r"Requests/sec: +([\d.]+)", done.stdout)[0]))
        middle = {name: median(measured) for name, measured in rates.items()}
        print(json.dumps({**middle, "ratio": round(middle["keyed"] / middle["plain"], 2)}))


if __name__ == "__main__":
    main()

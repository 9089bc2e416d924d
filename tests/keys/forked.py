"""A process with a KeyService that forks, for ``test_fork.py``: it and its children do what lines of JSON tell them.

usage: forked.py DATABASE KEYRING      each line: [who, what, argument…]; who is 0 for the parent, 1 and 2 for its
    children
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from typing import Any

from tollkey.keys import Denied, KeyService, Permission
from tollkey.keys.config import Config, Limit, Rate


def do(keys: KeyService, what: str, *given: Any) -> Any:
    if what == "verify":
        answer = keys.verify(given[0])
        return answer.reason.value if isinstance(answer, Denied) else "valid"
    if what == "create":
        key, text = keys.create("made", permissions=["report_read"])
        return key.id, text
    if what == "revoke":
        key = keys.get(given[0])
        assert key is not None
        return keys.revoke(key).id
    if what == "flush":
        return keys.flush()
    if what == "uses":
        return keys.usages()[given[0]].uses
    raise ValueError(what)


def obey(keys: KeyService, talk: socket.socket) -> None:
    with talk.makefile("rw") as lines:
        for line in lines:
            lines.write(json.dumps(do(keys, *json.loads(line))) + "\n")
            lines.flush()


def fork(keys: KeyService) -> Any:
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        code = 1
        try:
            obey(keys, theirs)
            keys.close()
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    talk = ours.makefile("rw")
    ours.close()
    return talk


CONFIG = Config(permissions=(Permission("report", "Reports"),), limits=(Limit("much", Rate(1e6), burst=10**6),))


def main(database: str, ring: str) -> None:
    keys = KeyService.open(database, config=CONFIG, keyring=ring, flush_seconds=3600)
    _, text = keys.create("held in memory", permissions=["report_read"])
    assert do(keys, "verify", text) == "valid"
    reading = threading.Thread(
        target=lambda: [keys.verify(text) for _ in range(200)]
    )  # locks and connections in use while it forks
    reading.start()
    children: list[Any] = [fork(keys), fork(keys)]
    reading.join()
    keys.flush()
    print(json.dumps([keys.list()[0].id, text]), flush=True)
    for line in sys.stdin:
        who, *told = json.loads(line)
        if who == 0:
            print(json.dumps(do(keys, *told)), flush=True)
        else:
            children[who - 1].write(json.dumps(told) + "\n")
            children[who - 1].flush()
            print(children[who - 1].readline(), end="", flush=True)
    for child in children:
        child.close()
    codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in children]
    keys.close()
    sys.exit(max(codes))


if __name__ == "__main__":
    main(*sys.argv[1:])

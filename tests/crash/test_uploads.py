"""kill -9 a server while files are uploaded: a file is there as a whole, or not at all."""

from __future__ import annotations

import http.client
import os
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from tests.crash.test_server import Running
from tollkey.db import SQLite, Tx
from tollkey.platform._contents import UNCLAIMED_SECONDS, discard_unclaimed

SIZE = 3_000_000
KILLS = 3


def upload(server: Running) -> int:
    """The status of the answer to an upload."""
    head = '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nidentity_document\r\n'
    head += '--b\r\nContent-Disposition: form-data; name="file"; filename="pass.png"\r\n\r\n'
    body = head.encode() + b"\x89PNG\r\n\x1a\n" + os.urandom(SIZE) + b"\r\n--b--\r\n"
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "multipart/form-data; boundary=b"}
    with closing(http.client.HTTPConnection(server.address, timeout=20)) as connection:
        connection.request("POST", "/v1/files", body, headers)
        return connection.getresponse().status


def test_after_a_kill_every_file_is_whole_and_what_is_left_of_others_is_deleted_within_an_hour(tmp_path: Path) -> None:
    answered: list[int] = []
    for _ in range(KILLS):
        with Running(tmp_path) as server:
            enough = threading.Event()

            def keep_uploading(server: Running = server, enough: threading.Event = enough) -> None:
                with suppress(OSError, http.client.HTTPException):
                    while True:
                        answered.append(upload(server))
                        enough.set()

            threads = [threading.Thread(target=keep_uploading) for _ in range(2)]
            for thread in threads:
                thread.start()
            assert enough.wait(30)
        for thread in threads:
            thread.join()
    assert set(answered) == {200}
    with Running(tmp_path):  # the log is taken up again
        pass
    database = SQLite(tmp_path / "tollkey.db")
    files, sizes, unclaimed = database.read(_stored)
    assert {id: sizes[id] for id in files} == dict.fromkeys(files, SIZE + 8)
    assert sizes.keys() - files == unclaimed
    assert len(files) >= len(answered)
    later = int(time.time()) + UNCLAIMED_SECONDS
    while database.write(lambda tx: discard_unclaimed(tx, later)):
        pass
    assert database.read(_stored) == (files, dict.fromkeys(files, SIZE + 8), set())
    database.close()


def _stored(tx: Tx) -> tuple[set[str], dict[str, int], set[str]]:
    """The ids of the file objects, the bytes stored by file, and the files that no object has claimed."""
    files = {row[0] for row in tx.execute("SELECT id FROM obj_file")}
    sizes = {id: size for id, size in tx.execute("SELECT file, sum(length(content)) FROM file_contents GROUP BY file")}
    return files, sizes, {row[0] for row in tx.execute("SELECT file FROM file_uploads")}

"""kill -9 a server while files are uploaded: a file is there as a whole, or not at all."""

from __future__ import annotations

import http.client
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from tests.crash.test_server import Running

SIZE = 3_000_000
KILLS = 3


def upload(server: Running) -> int:
    """The status of the answer to an upload."""
    head = '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nidentity_document\r\n'
    head += '--b\r\nContent-Disposition: form-data; name="file"; filename="pass.png"\r\n\r\n'
    body = head.encode() + b"\x89PNG\r\n\x1a\n" + os.urandom(SIZE) + b"\r\n--b--\r\n"
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "multipart/form-data; boundary=b"}
    http_ = http.client.HTTPConnection(server.address, timeout=20)
    http_.request("POST", "/v1/files", body, headers)
    status = http_.getresponse().status
    http_.close()
    return status


def test_after_a_kill_every_file_is_whole_and_no_piece_is_left_of_others(tmp_path: Path) -> None:
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
    with sqlite3.connect(tmp_path / "tollkey.db") as database:
        files = {row[0] for row in database.execute("SELECT id FROM obj_file")}
        sizes = dict(database.execute("SELECT file, sum(length(content)) FROM file_contents GROUP BY file"))
    database.close()
    assert sizes == dict.fromkeys(files, SIZE + 8)
    assert len(files) >= len(answered)

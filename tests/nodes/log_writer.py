"""A process that writes and indexes request logs until it is killed: ``log_writer.py <database> <account>``.

It says the number of the last request that is written, after each batch.
"""

from __future__ import annotations

import sys
from functools import partial
from itertools import count

from tests.support.api import NEVER
from tollkey.db import Row, open_database
from tollkey.platform.request_log_batches import WRITTEN, index_oldest, store

BATCH = 30


def row(name: str, number: int) -> Row:
    """A request of an account of that name."""
    values = dict.fromkeys(WRITTEN, "") | {"id": f"req_{number}", "account": name, "at": number}
    return tuple((values | {"livemode": 0, "milliseconds": 1, "status": 200})[column] for column in WRITTEN)


def main(url: str, name: str) -> None:
    """As the module says."""
    database = open_database(url, name)
    for number, first in enumerate(count(0, BATCH)):
        rows = [row(name, each) for each in range(first, first + BATCH)]
        database.write(partial(store, rows=rows, few=0 if number % 2 else BATCH + 1))
        print(first + BATCH, flush=True)
        if number % 3 == 0:
            database.write(partial(index_oldest, now=NEVER))


if __name__ == "__main__":
    main(*sys.argv[1:])

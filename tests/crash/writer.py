"""A process to be killed: writes through group commit and prints each id once it was acknowledged.

python writer.py FILE FIRST_ID
"""

from __future__ import annotations

import asyncio
import os
import sys

from tollkey.db import Migration, SQLite, Tx, migrate
from tollkey.db.edge import Edge, edge_for

CLIENTS = 16
PAIRS = Migration(
    "pairs",
    (
        "CREATE TABLE debits (id {int} PRIMARY KEY, amount {int} NOT NULL)",
        "CREATE TABLE credits (id {int} PRIMARY KEY, amount {int} NOT NULL)",
    ),
)


async def client(edge: Edge, first: int) -> None:
    id = first
    while True:

        def work(tx: Tx, id: int = id) -> None:
            tx.execute("INSERT INTO debits VALUES (?, ?)", (id, id * 3))
            tx.execute("INSERT INTO credits VALUES (?, ?)", (id, id * 3))

        await edge.write(work)
        os.write(1, b"%d\n" % id)
        id += CLIENTS


async def main(file: str, first: int) -> None:
    database = SQLite(file)
    migrate(database, [PAIRS])
    edge = edge_for(database)
    await edge.start()
    await asyncio.gather(*(client(edge, first + number) for number in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))

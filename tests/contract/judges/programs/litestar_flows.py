"""Litestar with the gate of ``tollkey.keys.adapters.starlette``: prints what came of each request, as JSON."""

import json
import sys

from litestar import Litestar, Request, WebSocket, get, websocket
from litestar.testing import TestClient

from tollkey.keys import KeyService, Permission
from tollkey.keys.adapters.starlette import ApiKeys, key_of

keys = KeyService.open(
    sys.argv[1], [Permission("report", "Reports"), Permission("project", "Projects", parameter=True)]
)
api = ApiKeys(keys)


@get("/reports", middleware=[api.gate("report_read")])
async def reports(request: Request) -> dict[str, object]:
    return {"account": key_of(request).account, "header": "authorization" in request.headers}


@get("/projects/{id:str}", middleware=[api.gate("project:{id}:read")])
async def project(request: Request, id: str) -> dict[str, str]:
    return {"id": id}


@websocket("/live", middleware=[api.gate("report_read")])
async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(key_of(socket).account)
    await socket.close()


def main() -> None:
    _, text = keys.create(permissions=["report_read", "project:42:read"], account="alice")
    _, weak = keys.create()
    with keys, TestClient(Litestar([reports, project, live])) as client:

        def ask(path: str, text: str | None) -> int:
            return client.get(path, headers={"Authorization": f"Bearer {text}"} if text else {}).status_code

        print(json.dumps({"accepted": client.get("/reports", headers={"Authorization": f"Bearer {text}"}).json()}))
        print(json.dumps({"refused": [ask("/reports", None), ask("/reports", text[:-1]), ask("/reports", weak)]}))
        print(json.dumps({"parameter": [ask("/projects/42", text), ask("/projects/43", text)]}))
        with client.websocket_connect("/live", headers={"Authorization": f"Bearer {text}"}) as socket:
            print(json.dumps({"websocket": socket.receive_text()}))


main()

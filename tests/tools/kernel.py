"""Running a cell the way JupyterLab does: this file speaks to a kernel over the websocket of an opened session."""

import json
from urllib.parse import urlsplit
from uuid import uuid4

import requests
import websocket


def run_cell(browser: requests.Session, server: str, code: str, seconds: float = 60) -> str:
    """What a cell prints in a fresh kernel of `server` (the address of the session, with its slash at the end).

    `browser` must have opened a page of the session before: its cookies are all the right there is. Raises AssertionError
    when the cell fails or the kernel is refused.
    """
    path = urlsplit(server).path
    cookies = [cookie for cookie in browser.cookies if path.startswith(cookie.path)]
    token = next((cookie.value for cookie in cookies if cookie.name == "_xsrf" and cookie.path == path), "") or ""
    made = browser.post(
        f"{server}api/kernels", json={"name": "python3"}, headers={"X-XSRFToken": token}, timeout=seconds
    )
    assert made.status_code == 201, f"no kernel: {made.status_code} {made.text[:300]}"
    kernel = made.json()["id"]
    line = websocket.create_connection(
        f"{server.replace('http', 'ws', 1)}api/kernels/{kernel}/channels",
        timeout=seconds,
        cookie="; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies),
        origin="{0.scheme}://{0.netloc}".format(urlsplit(server)),
    )
    try:
        return _execute(line, code)
    finally:
        line.close()
        browser.delete(f"{server}api/kernels/{kernel}", headers={"X-XSRFToken": token}, timeout=seconds)


def _execute(line: websocket.WebSocket, code: str) -> str:
    """Send an execute_request (Jupyter messaging 5.3) and gather stdout until the kernel is idle again."""
    number = uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": uuid4().hex, "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    line.send(
        json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"})
    )
    printed = ""
    while True:
        message = json.loads(line.recv())
        if message["parent_header"].get("msg_id") != number:
            continue
        kind, said = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            printed += said["text"]
        assert kind != "error", f"{said.get('ename')}: {said.get('evalue')}"
        if kind == "status" and said["execution_state"] == "idle":
            return printed

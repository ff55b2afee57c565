"""JupyterHub 6.1.1 and 5.5.4, imitated: REST API, event stream and public pages as observed on the real servers
(trigger-targets reference, section 1, and the public source of 6.1.1), with switches for what goes wrong there.

It runs no processes: a "server" becomes ready when its time has come. A test against it says nothing about a real hub.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

V6_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,29}")
V6_SCOPES = ("admin:users", "list:users", "read:users", "read:servers", "start:servers", "delete:servers", "read:hub")
V5_SCOPES = ("admin:users", "list:users", "read:users", "read:servers", "servers", "delete:servers", "read:hub")


@dataclass
class Faults:
    """What goes wrong. `words` are progress messages before the end."""

    created_at_once: bool = False  # 201 although it is not ready (6.1.1 after a failed start)
    fail: str | None = None  # 202, then a failed event with this reason ("" is what Slurm's time-out gives)
    words: tuple[str, ...] = ("Server requested", "Spawning server...")
    buffered: bool = False  # the stream gives everything at its end
    early_400: float = 0.0  # seconds after the start in which progress says "is not starting"
    too_many: str | None = None  # 429 with this Retry-After
    broken: int = 0  # that many starts answer a bare 500
    lost_answer: bool = False  # the start is carried out, its answer never arrives
    slow: float = 0.0  # seconds before any answer
    limit: int | None = None  # named servers a person
    refuse_options: str | None = None  # 400 with this sentence
    ignore_options: bool = False
    route_late: float = 0.0  # seconds after ready in which the proxy has no route
    location: str | None = None  # where the session's page redirects to
    no_model: bool = False  # every API call answers 503
    stop_takes: float = 0.0
    html: bool = False  # a proxy's page instead of JSON


@dataclass
class Spawned:
    """A named server."""

    options: Any
    display_name: str
    since: float
    due: float
    fail: str | None
    words: tuple[str, ...]
    dead: bool = False
    stopping: float | None = None


@dataclass
class Hub:
    """A hub's state; tests reach in."""

    version: str = "6.1.1"
    token: str = "t" * 32
    scopes: tuple[str, ...] = V6_SCOPES
    base: str = ""
    spawn_takes: float = 0.0
    faults: Faults = field(default_factory=Faults)
    users: dict[str, dict[str, Spawned]] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    visits: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    @property
    def old(self) -> bool:
        return self.version.startswith("5")

    def starts(self) -> int:
        """How many starts were asked for."""
        return sum(method == "POST" and "/servers/" in path for method, path, _ in self.calls)

    def ready(self, server: Spawned) -> bool:
        return server.fail is None and not server.dead and not server.stopping and time.monotonic() >= server.due

    def pending(self, server: Spawned) -> str | None:
        if server.stopping:
            return "stop"
        return "spawn" if time.monotonic() < server.due and not server.dead else None

    def model(self, user: str, name: str) -> dict[str, Any]:
        server = self.users[user][name]
        shown = {} if self.faults.ignore_options else server.options
        pending, ready = self.pending(server), self.ready(server)
        path = f"{self.base}/user/{user}/{name}/"
        return {
            "name": name, "full_name": f"{user}/{name}", "ready": ready, "pending": pending,
            "stopped": not (ready or pending), "started": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "last_activity": None, "url": path, "user_options": shown,
            "progress_url": f"{self.base}/hub/api/users/{user}/servers/{name}/progress",
            **({} if self.old else {"display_name": server.display_name, "full_url": None, "full_progress_url": None}),
        }  # fmt: skip

    def let_start(self) -> None:
        """What takes its time to start has taken it now."""
        for servers in self.users.values():
            for server in servers.values():
                server.due = min(server.due, time.monotonic())

    def let_stop(self) -> None:
        """And what takes its time to stop."""
        for servers in self.users.values():
            for server in servers.values():
                server.stopping = server.stopping and time.monotonic()

    def kill(self) -> None:
        """End every session behind the hub's back."""
        for servers in self.users.values():
            for server in servers.values():
                server.dead = True


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._go("GET")

    def do_POST(self) -> None:
        self._go("POST")

    def do_DELETE(self) -> None:
        self._go("DELETE")

    def _go(self, method: str) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"null") if size else None
        parts = urlsplit(self.path)
        if self.hub.faults.slow:
            time.sleep(self.hub.faults.slow)
        if not parts.path.startswith(f"{self.hub.base}/hub/api"):
            self.hub.visits.append((parts.path, dict(self.headers)))
            return self._page(parts.path.removeprefix(self.hub.base))
        self.hub.calls.append((method, unquote(parts.path), body))
        return self._api(method, parts.path.removeprefix(f"{self.hub.base}/hub/api"), parse_qs(parts.query), body)

    def _api(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> None:
        if self.hub.faults.no_model:
            return self._error(503, "Service Unavailable")
        if self.hub.faults.html:
            return self._send(200, b"<html><body>Maintenance</body></html>", "text/html")
        if path == "/":
            return self._json(200, {"version": self.hub.version})
        if self.headers.get("Authorization") != f"token {self.hub.token}":
            return self._error(403, "Missing or invalid credentials.")
        if path == "/user":
            return self._json(200, {"kind": "service", "name": "pangate", "scopes": list(self.hub.scopes)})
        if path == "/users":
            return self._list(query)
        pieces = [unquote(piece) for piece in path.split("/")[2:]]
        if len(pieces) == 1:
            return self._user(method, pieces[0], query)
        return self._server(method, pieces[0], pieces[2], pieces[3:], body)

    def _list(self, query: dict[str, list[str]]) -> None:
        if not self._may("list:users"):
            return None
        offset, limit = int(query["offset"][0]), min(2, int(query["limit"][0]))  # small pages: paging is walked
        names = [name for name, servers in self.hub.users.items() if any(map(self._active, servers.values()))]
        more = offset + limit < len(names)
        following = {"offset": offset + limit, "limit": limit, "url": "…"} if more else None
        items = [self._user_model(name, active=True) for name in names[offset : offset + limit]]
        return self._json(200, {"items": items, "_pagination": {"offset": offset, "next": following}})

    def _active(self, server: Spawned) -> bool:
        return self.hub.ready(server) or self.hub.pending(server) is not None

    def _user_model(self, user: str, *, active: bool) -> dict[str, Any]:
        servers = self.hub.users[user]
        shown = {n: self.hub.model(user, n) for n, s in servers.items() if not active or self._active(s)}
        return {"kind": "user", "name": user, "admin": False, "groups": [], "servers": shown}

    def _user(self, method: str, user: str, query: dict[str, list[str]]) -> None:
        if method == "POST":
            if not self._may("admin:users"):
                return None
            if user.lower() in self.hub.users:
                return self._error(409, f"User {user.lower()} already exists")
            self.hub.users[user.lower()] = {}
            return self._json(201, self._user_model(user.lower(), active=True))
        if user not in self.hub.users:
            return self._error(404, "Not Found")
        return self._json(200, self._user_model(user, active="include_stopped_servers" not in query))

    def _server(self, method: str, user: str, name: str, rest: list[str], body: Any) -> None:
        if user not in self.hub.users:
            return self._error(404, "Not Found")
        servers = self.hub.users[user]
        self._settle(servers)
        if rest == ["progress"]:
            return self._progress(servers.get(name))
        if method == "GET":
            if self.hub.old:
                return self._error(405, "Method Not Allowed")
            return self._json(200, self.hub.model(user, name)) if name in servers else self._error(404, "Not Found")
        if method == "DELETE":
            return self._delete(servers, name)
        return self._start(user, servers, name, body)

    def _settle(self, servers: dict[str, Spawned]) -> None:
        for name, server in list(servers.items()):
            if server.stopping and time.monotonic() >= server.stopping:
                del servers[name]

    def _start(self, user: str, servers: dict[str, Spawned], name: str, body: Any) -> None:
        faults, hub = self.hub.faults, self.hub
        if not self._may("servers" if hub.old else "start:servers"):
            return None
        if not hub.old and (len(name) > 30 or not V6_NAME.fullmatch(name)):
            return self._error(400, "Invalid server name")
        if name not in servers and faults.limit is not None and len(servers) >= faults.limit:
            said = f"User {user} already has the maximum of {faults.limit} named servers."
            return self._error(400, said + "  One must be deleted before a new server can be created")
        there = servers.get(name)
        if there and hub.pending(there) == "spawn":
            return self._send(202, b"")
        if there and (hub.pending(there) or hub.ready(there)):
            what = "is pending stop" if hub.pending(there) else "is already running"
            return self._error(400, f"{user}:{name} {what}")
        if faults.too_many is not None:
            return self._error(429, "Too many users trying to log in right now.", {"Retry-After": faults.too_many})
        if faults.refuse_options:
            return self._error(400, faults.refuse_options)
        if faults.broken:
            faults.broken -= 1
            return self._error(500, "Internal Server Error")
        new = body if hub.old or not {"user_options", "display_name"} & set(body or {}) else body.get("user_options")
        now = time.monotonic()
        title = body.get("display_name", name) if not hub.old and isinstance(body, dict) else name
        servers[name] = Spawned(new, title, now, now + hub.spawn_takes, faults.fail, faults.words)
        if faults.lost_answer:
            faults.lost_answer = False
            self.close_connection = True
            return None
        at_once = faults.created_at_once or (hub.spawn_takes == 0 and faults.fail is None)
        return self._send(201 if at_once else 202, b"")

    def _delete(self, servers: dict[str, Spawned], name: str) -> None:
        if not self._may("servers" if self.hub.old else "delete:servers", "delete:servers"):
            return None
        if name not in servers:
            return self._error(404, f"no server named '{name}'")
        if servers[name].stopping:
            return self._send(202, b"")
        if self.hub.faults.stop_takes:
            servers[name].stopping = time.monotonic() + self.hub.faults.stop_takes
            return self._send(202, b"")
        del servers[name]
        return self._send(204, b"")

    def _progress(self, server: Spawned | None) -> None:
        if server is None:
            return self._error(404, "Not Found")
        early = time.monotonic() - server.since < self.hub.faults.early_400
        if early or (server.dead and server.fail is None):
            return self._error(400, "%s is not starting...")
        words = [{"progress": 10 * i, "message": word} for i, word in enumerate(server.words)]
        if self.hub.pending(server) is None:
            words = []  # who comes late hears the end alone
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        sent = b"".join(b"data: " + json.dumps(word).encode() + b"\n\n" for word in words)
        try:
            if not self.hub.faults.buffered:
                self.wfile.write(b"\n\n" + sent)
                self.wfile.flush()
                sent = b""
            while self.hub.pending(server) == "spawn":
                time.sleep(0.02)
            self.wfile.write(sent + b"data: " + json.dumps(self._final(server)).encode() + b"\n\n")
        except OSError:
            return None
        return None

    def _final(self, server: Spawned) -> dict[str, Any]:
        if server.fail is not None:
            said = f"Spawn failed: {server.fail}"
            return {"progress": 100, "failed": True, "message": said, "html_message": f"<p>{said}</p>"}
        return {"progress": 100, "ready": True, "message": "Server ready", "url": "/user/…"}

    def _page(self, path: str) -> None:
        found = re.fullmatch(r"/user/([^/]+)/([^/]+)(/.*)?", path)
        user, name = (unquote(found[1]), found[2]) if found else ("", "")
        server = self.hub.users.get(user, {}).get(name)
        routed = server and self.hub.ready(server) and time.monotonic() >= server.due + self.hub.faults.route_late
        if not routed:
            return self._redirect(f"{self.hub.base}/hub{path}" if path.startswith("/user/") else "/hub/login?next=%2F")
        if self.hub.faults.location is not None:
            return self._redirect(self.hub.faults.location)
        inside = (found[3] or "") if found else ""
        if inside in ("", "/"):
            return self._redirect(f"{self.hub.base}{path.rstrip('/')}/lab?")
        client = f"client_id=jupyterhub-user-{quote(user)}-{name}"
        return self._redirect(f"{self.hub.base}/hub/api/oauth2/authorize?{client}&response_type=code&state=x")

    def _may(self, *scopes: str) -> bool:
        if set(scopes) & set(self.hub.scopes):
            return True
        self._error(403, f"Action is not authorized with current scopes; requires any of [{', '.join(scopes)}]")
        return False

    def _redirect(self, target: str) -> None:
        self._send(302, b"", "text/html", {"Location": target, "Set-Cookie": "_xsrf=1; Path=/"})

    def _error(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self._json(status, {"status": status, "message": message}, headers)

    def _json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, kind: str = "text/plain", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "X-JupyterHub-Version": self.hub.version, **(headers or {})}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """The hub on a loopback port, `hub.url` without a slash at the end (its base path in it)."""
    conversation = type("Conversation", (_Conversation,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), conversation)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}{hub.base}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

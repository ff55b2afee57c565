"""A double of an OpenID provider of nobody's make, after OpenID Connect Core 1.0: discovery, keys, tokens, userinfo, and faults."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


class Issuer:
    """One issuer with one key. `claims` changes what the next ID token says; `userinfo` what the end point says."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {"sub": "ada", "groups": ["crew"]}
        self.header: dict[str, Any] = {"kid": "one"}
        self.signing: Any = self.key
        self.algorithm = "RS256"
        self.calls_itself = url
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_ok = True
        self.lifetime = 300
        self.token_requests: list[dict[str, str]] = []

    def grant(self, nonce: str, challenge: str, code: str = "code-1") -> str:
        """What the authorize page would have made of a person's consent."""
        self.codes[code] = {"nonce": nonce, "challenge": challenge}
        return code

    def id_token(self, nonce: str | None) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "ada",
            "aud": "pangate",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Ada",
        }
        return jwt.encode({**claims, **self.claims}, self.signing, algorithm=self.algorithm, headers=self.header)

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.calls_itself,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "end_session_endpoint": f"{self.url}/logout",
            }
        if path == "/keys":
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]}
        if path == "/userinfo":
            return 200, self.userinfo
        if path == "/token":
            self.token_requests.append(form)
            return self._token(form)
        return 404, {}

    def _token(self, form: dict[str, str]) -> tuple[int, Any]:
        nonce = None
        if form.get("grant_type") == "authorization_code":
            granted = self.codes.pop(form.get("code", ""), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if granted is None or granted["challenge"] != proof:
                return 400, {"error": "invalid_grant"}
            nonce = granted["nonce"]
        elif not self.refresh_ok:
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "access",
            "refresh_token": f"refresh-{len(self.token_requests)}",
            "id_token": self.id_token(nonce),
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }


@contextmanager
def issuer() -> Iterator[Issuer]:
    """An issuer on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*made.answer(self.path.partition("?")[0], {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(*made.answer(self.path, form))

        def _send(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Tests are silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made = Issuer(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()

"""The demo's identity server: this file runs the real Canaille 0.3.6 in one process, with three people who do not exist."""

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from canaille.backends.memory.backend import MemoryBackend
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

from demo.children import Child, end, start, wait_ready
from demo.people import PEOPLE, Person
from demo.ports import HOST, free_port

SCOPES = ("openid", "profile", "email", "groups")
TOKEN_LIFE = 12 * 3600  # seconds; Canaille ends a refresh token together with its access token


@dataclass(frozen=True)
class Client:
    """An OIDC client: a confidential one, with the authorization code flow and HTTP Basic at the token end point."""

    id: str
    redirects: tuple[str, ...]
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


def secret_variable(client: str) -> str:
    """The environment variable that holds a client's secret."""
    return f"DEMO_SECRET_{client.upper().replace('-', '_')}"


class Memory(MemoryBackend):  # type: ignore[misc]
    """Canaille's memory, where all conditions of a query hold at once, as the contract of its `Backend.query` says.

    The memory of 0.3.6 takes any of them: of two people who sign in at the same moment, one would get the other's code.
    """

    __module__ = MemoryBackend.__module__  # Canaille looks for its models beside the module of the backend

    def do_query(self, model: Any, *_: Any, **conditions: Any) -> list[Any]:
        """The instances of a model that meet every condition; all of them without one."""
        if not conditions:
            return list(super().do_query(model))
        found = [super(Memory, self).do_query(model, **{name: value}) for name, value in conditions.items()]
        kept = set.intersection(*({instance.id for instance in some} for some in found))
        return [instance for instance in found[0] if instance.id in kept]


def settings(port: int) -> dict[str, Any]:
    """Canaille's settings: all in memory, English, plain forms, nothing asked twice (identity.md has the traps)."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(32),
        "SERVER_NAME": f"{HOST}:{port}",
        "PREFERRED_URL_SCHEME": "http",
        # cookies know no ports: on one loopback host every server needs a cookie name of its own
        "SESSION_COOKIE_NAME": "demo-identity",
        "OAUTH2_TOKEN_EXPIRES_IN": {"authorization_code": TOKEN_LIFE, "refresh_token": TOKEN_LIFE},
        "CANAILLE": {
            "DATABASE": "memory",
            "NAME": "Demo identity",
            "LANGUAGE": "en",
            "HTMX": False,
            "SMTP": None,
            "ENABLE_PASSWORD_RECOVERY": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"], "READ": ["user_name", "groups"], "WRITE": []}},
        },
        "CANAILLE_OIDC": {
            # a key that names its algorithm: for one that does not, Canaille signs with RS512, whatever the client asked for
            "ACTIVE_JWKS": [
                RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, auto_kid=True).as_dict(private=True)
            ],
            "REQUIRE_NONCE": False,  # oauthenticator sends none
            "TRUSTED_DOMAINS": [HOST, "localhost"],  # no consent page for clients of this machine
            "USERINFO_MAPPING": {"PREFERRED_USERNAME": "{{ user.user_name }}"},
        },
    }


def fill(people: Sequence[Person], clients: Sequence[Client]) -> None:
    """Put people, their groups and the clients into Canaille's memory."""
    users = {}
    for person in people:
        users[person.name] = models.User(
            user_name=person.name,
            given_name=person.given,
            family_name=person.family,
            formatted_name=f"{person.given} {person.family}",
            display_name=f"{person.given} {person.family}",
            emails=[person.email],
            password=person.password,
        )
        Backend.instance.save(users[person.name])
    for name in sorted({group for person in people for group in person.groups}):
        members = [users[person.name] for person in people if name in person.groups]
        Backend.instance.save(models.Group(display_name=name, members=members))
    for client in clients:
        _register(client)


def _register(client: Client) -> None:
    home = client.redirects[0].split("/", 3)
    known = models.Client(
        client_id=client.id,
        client_secret=client.secret,
        client_id_issued_at=datetime.now(UTC),
        client_name=client.id,
        client_uri="/".join(home[:3]),
        redirect_uris=list(client.redirects),
        post_logout_redirect_uris=["/".join(home[:3]) + "/"],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        scope=list(SCOPES),
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 the name of a method
    )
    Backend.instance.save(known)
    known.audience = [known]
    Backend.instance.save(known)


def one_at_a_time(application: Any) -> Any:
    """A WSGI application that answers one request after another: the memory backend is not made for threads."""
    turn = Lock()

    def serialised(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with turn:
            return list(application(environ, start_response))

    return serialised


def serve(port: int, clients: Sequence[Client], people: Sequence[Person] = PEOPLE) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http, which is loopback's alone
    chosen = settings(port)
    application = create_app(config=chosen, backend=Memory(chosen))
    with application.app_context():
        fill(people, clients)
    server = make_server(HOST, port, one_at_a_time(application.wsgi_app), threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


def issuer_at(port: int) -> str:
    """The issuer of an identity server on that port."""
    return f"http://{HOST}:{port}"


def identity_child(port: int, clients: Sequence[Client]) -> Child:
    """The identity server as a process of its own."""
    arguments = [f"--client={client.id}={redirect}" for client in clients for redirect in client.redirects]
    return Child(
        name="identity",
        title="Identity server (Canaille)",
        command=(sys.executable, "-m", "demo.identity", "--port", str(port), *arguments),
        ready=f"{issuer_at(port)}/.well-known/openid-configuration",
        environment={secret_variable(client.id): client.secret for client in clients},
    )


@contextmanager
def identity(clients: Sequence[Client], port: int = 0) -> Iterator[str]:
    """An identity server in a process of its own, for as long as the context lasts; gives the issuer's address."""
    number = port or free_port()
    with TemporaryDirectory() as folder:
        running = start(identity_child(number, clients), Path(folder))
        try:
            wait_ready(running)
            yield issuer_at(number)
        finally:
            end(running)


def _clients(arguments: Sequence[str]) -> list[Client]:
    """The clients of ID=REDIRECT arguments; one id may come with several redirects."""
    redirects: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        name, _, redirect = argument.partition("=")
        redirects[name] = (*redirects.get(name, ()), redirect)
    return [Client(name, many, os.environ[secret_variable(name)]) for name, many in redirects.items()]


def main() -> None:
    """Run the identity server by itself."""
    parser = argparse.ArgumentParser(prog="python -m demo.identity", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--client",
        action="append",
        default=[],
        metavar="ID=REDIRECT",
        help="a client and where it is called back; its secret is in DEMO_SECRET_<ID>",
    )
    chosen = parser.parse_args()
    serve(chosen.port, _clients(chosen.client))


if __name__ == "__main__":
    main()

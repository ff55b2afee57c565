"""This file is the calls to a JupyterHub's REST API and what they answer, in both dialects; the adapter decides what it means."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from schema.errors import BadInput, RetryLater
from triggers.hub_dialect import Dialect, dialect_of, is_ours, named, segment
from triggers.hub_refusals import Site, check
from triggers.ports import Clock, Handle, Native
from triggers.progress import Event, read_events
from triggers.session import Answer, Session

PAGE = 200
PAGES = 100

_AUTHORIZE = re.compile(r"/hub/api/oauth2/authorize$")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HubCalls:
    """One hub's API. Refusals that mean the same everywhere are raised: Refused (401, 403), Full (429), RetryLater (5xx)."""

    def __init__(self, site: Site, session: Session, clock: Clock) -> None:
        self.site = site
        self._session = session
        self._clock = clock
        self._dialect: Dialect | None = None

    @property
    def dialect(self) -> Dialect:
        """How this hub wants to be spoken to."""
        if self._dialect is None:
            self.version()
        return self._dialect or Dialect.V6

    def version(self) -> str:
        """The hub's version, as it says it."""
        body = self._ask("GET", "/").json()
        version = body.get("version") if isinstance(body, dict) else None
        if not isinstance(version, str):
            raise RetryLater(f"What answers at {self.site.name} is no JupyterHub.")
        self._dialect = dialect_of(version)
        return version[:40]

    def scopes(self) -> list[str]:
        """The expanded scopes of our token."""
        body = self._ask("GET", "/user").json()
        scopes = body.get("scopes") if isinstance(body, dict) else None
        return [scope for scope in scopes if isinstance(scope, str)] if isinstance(scopes, list) else []

    def knows(self, user: str) -> bool:
        """Whether the hub has met that person."""
        return self._ask("GET", f"/users/{segment(user)}").status != 404

    def introduce(self, user: str) -> str | None:
        """Make a person known; the name as the hub writes it (lower case), None when it does not take it. Raises Refused."""
        answer = self._ask("POST", f"/users/{segment(user)}")
        if answer.status == 400:
            return None
        made = answer.json() if answer.status == 201 else {}
        name = made.get("name") if isinstance(made, dict) else None
        return name if isinstance(name, str) and name else user.lower()

    def model(self, handle: Handle) -> dict[str, Any] | None:
        """The model of a named server, running or not; None when there is none."""
        if self.dialect is Dialect.V6:
            answer = self._ask("GET", server_path(handle))
            if answer.status == 404:
                return None
            if answer.status == 200:
                body = answer.json()
                return body if isinstance(body, dict) else None
        # hub 5 has no such route (405): the server stands in its user's model
        user = f"/users/{segment(handle.values['user'])}"
        answer = self._ask("GET", user, params={"include_stopped_servers": "true"})
        return None if answer.status == 404 else named(answer.json(), handle.values["server"])

    def start(self, handle: Handle, body: dict[str, Any]) -> Answer:
        """The answer to a start; 500 is given back too, since it is worth a look at what happened."""
        answer = self._session.ask("POST", server_path(handle), json=body)
        if answer.status != 500:
            check(self.site, answer, self._clock())
        return answer

    def remove(self, handle: Handle) -> Answer:
        """The answer to stop-and-remove: 204 done, 202 stopping, 404 not there."""
        return self._ask("DELETE", server_path(handle), json={"remove": True})

    def events(self, handle: Handle, seconds: float) -> list[Event]:
        """What the event stream says within that time; 400 (not starting, or not yet) and 404 are no events."""
        answer = self._session.listen(server_path(handle) + "/progress", seconds)
        return read_events(answer.body) if answer.status == 200 else []

    def owned(self) -> list[Native]:
        """Active named servers whose option `launch` is their own name."""
        found: list[Native] = []
        offset: object = 0
        for _ in range(PAGES):
            page = self._page(offset)
            items, about = page.get("items"), page.get("_pagination")
            for user in items if isinstance(items, list) else ():
                found += _ours(user)
            following = about.get("next") if isinstance(about, dict) else None
            if not isinstance(following, dict):
                return found
            offset = following.get("offset")
        raise RetryLater(f"{self.site.name} lists more users than can be read.")

    def reachable(self, prefix: str) -> str:
        """What below the public address `prefix` shows that the route is there: a page, or the way to the hub's sign-in. Empty
        if nothing does."""
        url = prefix
        try:
            for _ in range(4):
                answer = self._session.visit(url)
                if answer.status == 200:
                    return "page answers 200"
                if answer.status in (403, 404):  # a bare server has no page there, but tells its version
                    return "server answers 200" if self._session.visit(prefix + "api").status == 200 else ""
                target = urlsplit(urljoin(url, answer.headers.get("location", "")))
                if answer.status in _REDIRECTS and _AUTHORIZE.search(target.path):
                    return "page leads to the hub's sign-in"
                if answer.status // 100 != 3 or not target.geturl().startswith(prefix):
                    return ""
                url = target._replace(fragment="").geturl()
        except (RetryLater, BadInput, ValueError):  # the last two: a Location that is no address
            return ""
        return ""

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def _page(self, offset: object) -> dict[str, Any]:
        params = {"state": "active", "offset": str(offset), "limit": str(PAGE)}
        answer = self._ask("GET", "/users", params=params, accept="application/jupyterhub-pagination+json")
        body = answer.json()
        if answer.status != 200 or not isinstance(body, dict):
            raise RetryLater(f"{self.site.name} does not list its users (answer {answer.status}).")
        return body

    def _ask(self, method: str, path: str, **options: Any) -> Answer:
        answer = self._session.ask(method, path, **options)
        check(self.site, answer, self._clock())
        return answer


def server_path(handle: Handle) -> str:
    """The API path of a handle's server."""
    return f"/users/{segment(handle.values['user'])}/servers/{segment(handle.values['server'])}"


def moment(text: object) -> datetime | None:
    """An instant as the hub or a handle writes it."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _ours(user: object) -> list[Native]:
    if not isinstance(user, dict) or not isinstance(user.get("servers"), dict) or not isinstance(user.get("name"), str):
        return []
    return [
        Native(name, Handle({"user": user["name"], "server": name}), moment(model.get("started")))
        for name, model in user["servers"].items()
        if isinstance(model, dict) and is_ours(name, model)
    ]

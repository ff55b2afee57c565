"""A visitor of pangate without a browser's engine: this file keeps cookies, asks GraphQL, follows events, presses the page's buttons."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import requests
from lxml import html
from sign_in import sign_in

LATER = {"RATE_LIMITED", "UNAVAILABLE"}
"""Codes that mean: ask the same again. On a machine that others keep busy a search may not be done within its two seconds."""


class Visitor:
    """Somebody at pangate's page; anonymous until `sign_in`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.browser = requests.Session()
        self.browser.trust_env = False

    def sign_in(self, user: str, password: str) -> requests.Response:
        """Sign in from pangate's own login."""
        return sign_in(self.browser, f"{self.url}/login", user, password)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation; fails on errors. Whoever is told to come back later does so for a while, as a client must."""
        for _ in range(30):
            answer = self.answer(query, **variables)
            if "errors" not in answer:
                return dict(answer["data"])
            told = [error["extensions"] for error in answer["errors"]]
            assert {each["code"] for each in told} <= LATER, answer["errors"]
            time.sleep(max(each.get("retryAfter", 0.5) for each in told))
        raise AssertionError(f"thirty times: {answer['errors']}")

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer of an operation."""
        asked = {"query": query, "variables": variables}
        # pangate closes an idle connection after 15 s, and requests would meet it closed
        headers = {"Origin": self.url, "Connection": "close"}
        return dict(self.browser.post(f"{self.url}/graphql", json=asked, headers=headers, timeout=60).json())

    def follow(self, query: str, seconds: float = 120, **variables: Any) -> Iterator[dict[str, Any]]:
        """The payloads of a subscription over server-sent events, until it is complete."""
        asked = {"query": query, "variables": variables}
        headers = {"Origin": self.url, "Accept": "text/event-stream"}
        name, end = "", time.monotonic() + seconds
        with self.browser.post(
            f"{self.url}/graphql", json=asked, headers=headers, stream=True, timeout=seconds
        ) as answer:
            assert answer.status_code == 200, answer.text
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                assert time.monotonic() < end, f"the stream did not end within {seconds:.0f} s"
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data" and name == "next":
                    yield json.loads(value)
                if name == "complete":
                    return

    def press(self, page: str, action: str) -> requests.Response:
        """Open a page and send the form on it whose action ends so."""
        shown = self.browser.get(f"{self.url}{page}", timeout=60)
        assert shown.status_code == 200, shown.text[:500]
        forms = [
            form
            for form in html.fromstring(shown.content).forms
            if urljoin(shown.url, form.action or "").endswith(action)
        ]
        assert forms, f"there is no button for {action} on {page}"
        where = urljoin(shown.url, forms[0].action or "")
        headers = {"Origin": self.url}
        return self.browser.post(where, data=dict(forms[0].form_values()), headers=headers, timeout=60)

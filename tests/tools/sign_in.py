"""Signing in without a browser: this file walks the demo identity server's login form as a person would."""

from urllib.parse import urljoin

import requests
from lxml import html

STEPS = 20


def sign_in(session: requests.Session, url: str, user: str, password: str) -> requests.Response:
    """Get `url`, follow every redirect, fill in the identity server's forms when they come; the page behind them.

    Raises AssertionError when the account or the password is refused. Works wherever the journey begins: an authorize URL,
    the gateway's login route, a page of the hub.
    """
    answer = session.get(url, timeout=30)
    for _ in range(STEPS):
        form = _form(answer)
        if form is None:
            return answer
        fields = dict(form.form_values())
        asked = "password" if "password" in form.inputs else "login"
        assert fields.get("login") != user, f"the identity server does not take {user}"
        before = answer.url
        fields[asked] = password if asked == "password" else user
        answer = session.post(urljoin(answer.url, form.action or ""), data=fields, timeout=30)
        assert not (answer.url == before and asked == "password"), f"the password of {user} was refused"
    raise AssertionError(f"no end of forms at {answer.url}")


def _form(answer: requests.Response) -> html.FormElement | None:
    """The identity server's login or password form on a page, if there is one."""
    if "text/html" not in answer.headers.get("content-type", "") or not answer.content:
        return None
    for form in html.fromstring(answer.content).forms:
        if "csrf_token" in form.inputs and ("login" in form.inputs or "password" in form.inputs):
            return form
    return None

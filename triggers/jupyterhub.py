"""This file is the JupyterHub adapter: named servers on hubs 5 and 6, started by a service token that cannot open them.

Contract and traps: trigger-targets reference, section 1. The event stream is a hint, the server's model the truth, and READY
needs the public address as well.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from schema.activities import Capabilities, Failure, FailureCode, LaunchRequest, LaunchState, OpenKind
from schema.errors import Misconfigured, RetryLater
from schema.federation import Delegation, Facility, Trigger
from triggers.hub_calls import HubCalls, moment
from triggers.hub_dialect import hub_root, ignored_options, missing_scopes, segment, server_name, start_body
from triggers.hub_refusals import Site, bad_option, failed_start, lacking, refused_start, sign_in_once
from triggers.hub_wishes import page_of, user_name, user_options
from triggers.ports import Clock, Handle, Native, Observation, OpenInstruction, PlatformState, Refused, Secrets
from triggers.progress import Event, explanation, queued
from triggers.session import Answer, Session

CAPABILITIES = Capabilities(start=True, watch=True, stop=True, link_only=False, opens_as=OpenKind.REDIRECT)

EARLY = timedelta(seconds=5)
"""How long after a start the hub may still say that nothing of that name is starting."""


class JupyterHub:
    """One hub."""

    capabilities = CAPABILITIES

    def __init__(self, site: Site, trigger: Trigger, session: Session, clock: Clock) -> None:
        self.site = site
        self._trigger = trigger
        self._public = hub_root(trigger.url)
        self._calls = HubCalls(site, session, clock)
        self._clock = clock

    def look(self) -> PlatformState:
        """Whether the hub answers and our scopes suffice."""
        version = self._calls.version()
        lacks = missing_scopes(self._calls.dialect, self._calls.scopes())
        if lacks:
            return PlatformState(up=False, message=lacking(self.site, ", ".join(lacks)).message, version=version)
        return PlatformState(up=True, version=version)

    def preflight(self, request: LaunchRequest) -> None:
        """Dialect, scopes, options and the person, before anything starts."""
        user_options("preflight", request, self._trigger)
        name = user_name(request, self.site)
        self._calls.version()
        scopes = self._calls.scopes()
        lacks = missing_scopes(self._calls.dialect, scopes)
        if lacks:
            raise Refused(lacking(self.site, ", ".join(lacks)))
        if not any(scope.partition("!")[0] == "admin:users" for scope in scopes) and not self._calls.knows(name):
            raise Refused(sign_in_once(self.site))

    def intent(self, id: str, request: LaunchRequest) -> Handle:
        """The person's name there and the server's, which is the launch's id."""
        return Handle({"user": user_name(request, self.site), "server": server_name(id)})

    def start(self, id: str, request: LaunchRequest) -> Observation:
        """A named server called like the launch. One that is there already is taken over; one whose start failed is not tried again."""
        handle = self.intent(id, request)
        model = self._calls.model(handle)
        if model is not None and (model.get("ready") or model.get("pending") == "spawn"):
            return self._seen(handle, request, model)
        failed = self._failed(handle) if model is not None else None
        if failed is not None:
            return failed
        return self._begin(id, handle, request)

    def probe(self, handle: Handle, request: LaunchRequest) -> Observation:
        """The model's word, and for READY also what anybody sees at the public address."""
        model = self._calls.model(handle)
        if model is not None and (model.get("ready") or model.get("pending") == "spawn"):
            return self._seen(handle, request, model)
        if model is not None and model.get("pending"):
            return Observation(
                LaunchState.LOST, f"{self.site.name} is ending the session without our asking.", evidence="model"
            )
        failed = self._failed(handle)
        if failed is not None:
            return failed
        started = moment(handle.values.get("started"))
        if started is not None and self._clock() - started < EARLY:
            return Observation(LaunchState.STARTING, f"{self.site.name} has been asked.", evidence="start is fresh")
        return Observation(
            LaunchState.LOST, f"The session is no longer there; {self.site.name} ended it.", evidence="no such server"
        )

    def watch(self, handle: Handle, request: LaunchRequest, seconds: float) -> Observation | None:  # noqa: ARG002 (port)
        """What the event stream says within that time."""
        events = self._calls.events(handle, seconds)
        told = [event for event in events if event.message and not event.final]
        if not told:
            return None
        state = LaunchState.QUEUED if queued(told) else LaunchState.STARTING
        progress = next((event.progress for event in reversed(told) if event.progress is not None), None)
        said = Handle({**handle.values, "said": told[-1].message})
        return Observation(state, told[-1].message, progress=progress, evidence="event stream", handle=said)

    def open(self, handle: Handle, request: LaunchRequest) -> OpenInstruction:
        """The server's own address; the hub asks the person to sign in if need be. Nothing of ours is in it."""
        try:
            model = self._calls.model(handle)
            gone = model is None or not model.get("ready")
        except RetryLater:
            gone = False  # the hub's API is away, the session itself may well answer
        if gone:
            raise Refused(
                Failure(
                    code=FailureCode.DIED,
                    message=f"The session at {self.site.name} has stopped.",
                    next_step="Start the analysis again.",
                    retry=True,
                )
            )
        return OpenInstruction(OpenKind.REDIRECT, url=self._address(handle) + page_of(request, self._trigger))

    def stop(self, handle: Handle, request: LaunchRequest | None) -> bool:  # noqa: ARG002 (port)
        """Stopped and removed, since named servers left behind count against the person's limit."""
        answer = self._calls.remove(handle)
        if answer.status in (204, 404):
            return True
        if answer.status == 202:
            return False
        raise RetryLater(f"{self.site.name} cannot end the session at present (answer {answer.status}).")

    def owned(self) -> list[Native]:
        """Active named servers whose option `launch` is their own name."""
        return self._calls.owned()

    def close(self) -> None:
        """Let go of connections."""
        self._calls.close()

    def _begin(self, id: str, handle: Handle, request: LaunchRequest) -> Observation:
        body = start_body(self._calls.dialect, user_options(id, request, self._trigger), request.dataset_title)
        answer = self._calls.start(handle, body)
        if answer.status == 404:
            handle = self._introduce(handle)
            answer = self._calls.start(handle, body)
        if answer.status >= 400:
            return self._not_begun(handle, request, answer)
        begun = Handle({**handle.values, "started": self._clock().isoformat()})
        return Observation(
            LaunchState.STARTING,
            f"{self.site.name} starts the session.",
            native=str(answer.status),
            evidence="start accepted",  # 201 is no proof of readiness
            handle=begun,
        )

    def _not_begun(self, handle: Handle, request: LaunchRequest, answer: Answer) -> Observation:
        """A refused start, unless the server is there all the same (400: already running or pending)."""
        model = self._calls.model(handle)
        if model is not None and (model.get("ready") or model.get("pending") == "spawn"):
            return self._seen(handle, request, model)
        if answer.status == 400 and model is not None and model.get("pending"):
            raise RetryLater(f"{self.site.name} is still busy with that session.")
        if answer.status < 500:
            raise Refused(refused_start(self.site, answer))
        failed = self._failed(handle)
        if failed is not None:
            return failed
        raise RetryLater(f"{self.site.name} answered {answer.status}.")

    def _introduce(self, handle: Handle) -> Handle:
        """Make the person known to the hub."""
        try:
            name = self._calls.introduce(handle.values["user"])
        except Refused:
            name = None
        if name is None:
            raise Refused(sign_in_once(self.site))
        return Handle({**handle.values, "user": name})

    def _seen(self, handle: Handle, request: LaunchRequest, model: dict[str, Any]) -> Observation:
        kept = handle if "started" in handle.values else Handle({**handle.values, "started": self._clock().isoformat()})
        ignored = ignored_options(model, user_options(handle.values["server"], request, self._trigger))
        if ignored:
            failure = bad_option(self.site, f"it ignored {', '.join(ignored)}")
            return Observation(LaunchState.FAILED, failure.message, evidence="model", failure=failure, handle=kept)
        if not model.get("ready"):
            return Observation(LaunchState.STARTING, "", native="spawn", evidence="model", handle=kept)
        evidence = self._calls.reachable(self._address(handle))
        if not evidence:
            message = f"The session runs; its address at {self.site.name} does not answer yet."
            return Observation(LaunchState.STARTING, message, native="ready", evidence="model", handle=kept)
        return Observation(
            LaunchState.READY, "The session is ready to be opened.", 100, "ready", f"model, {evidence}", handle=kept
        )

    def _failed(self, handle: Handle) -> Observation | None:
        """The failed start that the event stream repeats until the next one, if that is what happened."""
        events = self._calls.events(handle, 3.0)
        if not any(event.failed for event in events):
            return None
        events = [Event(message=handle.values.get("said", "")), *events]  # the reason may be empty
        failure = failed_start(self.site, events)
        return Observation(
            LaunchState.FAILED,
            failure.message,
            native=explanation(events),
            evidence="failed event",
            failure=failure,
            handle=handle,
        )

    def _address(self, handle: Handle) -> str:
        return f"{self._public}/user/{segment(handle.values['user'])}/{segment(handle.values['server'])}/"


def open_jupyterhub(facility: Facility, trigger: Trigger, secrets: Secrets, clock: Clock) -> JupyterHub:
    """The hub of a trigger. Raises Misconfigured when it names no token or a delegation that this adapter has not."""
    where = f"{facility.id}/{trigger.id}"
    if trigger.delegation is not Delegation.SERVICE:
        raise Misconfigured("a jupyterhub is asked with a service's token: set delegation: service.", where=where)
    if trigger.login is None or trigger.login.token is None:
        raise Misconfigured("a jupyterhub needs login: token: with the name of the secret.", where=where)
    api = hub_root(trigger.apiUrl or trigger.url) + "/hub/api"
    token = secrets.secret(trigger.login.token)
    site = Site(trigger.name or f"{facility.shortName or facility.name}'s JupyterHub", hub_root(trigger.url))
    return JupyterHub(site, trigger, Session(api, token=token, private=trigger.allowPrivateAddress), clock)

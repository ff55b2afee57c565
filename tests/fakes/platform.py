"""A platform in memory: does what it is told to, remembers what it was asked. For the launch line; imitates no real server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from schema.activities import Capabilities, LaunchRequest, LaunchState, OpenKind
from schema.errors import RetryLater
from triggers.ports import Handle, Native, Observation, OpenInstruction, PlatformState, Refused


@dataclass
class FakePlatform:
    """`seen` is what a probe sees of every session that exists; an error in `trouble` is raised by the call of that name, once for each
    entry, or always when it is not a list."""

    seen: Observation = field(default_factory=lambda: Observation(LaunchState.READY, "ready", handle=None))
    news: Observation | None = None
    trouble: dict[str, object] = field(default_factory=dict)
    sessions: dict[str, datetime | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stops_in: int = 0
    starts: int = 0
    url: str = "https://hub.north.example/user/mia/"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            start=True, watch=True, stop=True, link_only=False, opens_as=OpenKind.REDIRECT
        )
    )

    def _call(self, name: str) -> None:
        self.asked.append(name)
        trouble = self.trouble.get(name)
        if isinstance(trouble, list):
            if trouble:
                raise trouble.pop(0)
        elif isinstance(trouble, BaseException):
            raise trouble

    def look(self) -> PlatformState:
        self._call("look")
        return PlatformState(up=True, version="1")

    def preflight(self, request: LaunchRequest) -> None:
        self._call("preflight")

    def intent(self, id: str, request: LaunchRequest) -> Handle:
        return Handle({"session": id})

    def start(self, id: str, request: LaunchRequest) -> Observation:
        before = id in self.sessions
        if not before:
            self._call("start")
            self.starts += 1
            self.sessions[id] = None
        self._call("answer")  # the session is there, its answer may get lost
        return Observation(LaunchState.STARTING, "begun", handle=Handle({"session": id, "begun": "yes"}))

    def probe(self, handle: Handle, request: LaunchRequest) -> Observation:
        self._call("probe")
        if handle.values["session"] not in self.sessions:
            return Observation(LaunchState.LOST, "The session is gone.")
        return self.seen

    def watch(self, handle: Handle, request: LaunchRequest, seconds: float) -> Observation | None:
        self._call("watch")
        return self.news

    def open(self, handle: Handle, request: LaunchRequest) -> OpenInstruction:
        self._call("open")
        return OpenInstruction(OpenKind.REDIRECT, url=self.url)

    def stop(self, handle: Handle, request: LaunchRequest | None) -> bool:
        self._call("stop")
        if self.stops_in and handle.values["session"] in self.sessions:
            self.stops_in -= 1
            return False
        self.sessions.pop(handle.values["session"], None)
        return True

    def owned(self) -> list[Native]:
        self._call("owned")
        return [Native(id, Handle({"session": id}), since) for id, since in self.sessions.items()]

    def close(self) -> None:
        self._call("close")


AWAY = RetryLater("North Hub does not answer.")

__all__ = ["AWAY", "FakePlatform", "Refused"]

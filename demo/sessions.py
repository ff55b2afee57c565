"""How the demo's hub starts a session: this file is a spawner without accounts and without root, its folders and its pid files."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from tornado.web import HTTPError

from demo.children import remember
from demo.notebooks import measurement, notebook
from demo.wishes import Refused, Wishes, read_wishes

PATIENCE = timedelta(seconds=30)  # between asking a session past its life to end and ending it
MINIMAL = ("--ServerApp.terminals_enabled=False", "--LanguageServerManager.autodetect=False")


class SessionSpawner(SimpleLocalProcessSpawner):  # type: ignore[misc]
    """Starts a session as a process of whoever runs the hub, in a folder of its own below `data`. No isolation: a demo."""

    data: Path
    life: timedelta
    wishes = Wishes()

    @property
    def session_folder(self) -> Path:
        """Where the session works: one folder a named server, kept when the server is removed."""
        return Path(self.home_dir) / (self.name or "default")

    def get_env(self) -> dict[str, str]:
        """The hub's variables and what the session is for."""
        kept = {name: value for name, value in super().get_env().items() if name != "PYTHONPATH"}
        return {**kept, **self.wishes.variables()}

    def get_args(self) -> list[str]:
        """The server's arguments, fewer parts for the minimal environment."""
        return [*super().get_args(), *(MINIMAL if self.wishes.environment == "python-minimal" else ())]

    async def start(self) -> tuple[str, int]:
        """Fill the session's folder, start the process, write down its pid."""
        settle(Path(self.home_dir))
        furnish(self.session_folder, self.wishes)
        self.notebook_dir = str(self.session_folder)
        address: tuple[str, int] = await super().start()
        remember(self.pid, self._pid_file(self.pid))
        return address

    async def poll(self) -> int | None:
        """None while it runs; a session past its life is ended here, whoever else has forgotten it."""
        pid = self.pid
        status: int | None = await super().poll()
        if status is not None:
            self._pid_file(pid).unlink(missing_ok=True)
        elif (over := self._overtime()) > timedelta(0):
            self.log.info("%s is past its life of %s", self._log_name, self.life)
            await self._signal(signal.SIGTERM if over < PATIENCE else signal.SIGKILL)
        return status

    def _overtime(self) -> timedelta:
        """By how much the session has outlived its life; negative before that."""
        started = self.orm_spawner.started if self.orm_spawner else None
        # the hub's database keeps UTC without saying so
        return datetime.now(UTC).replace(tzinfo=None) - started - self.life if started else -self.life

    def _pid_file(self, pid: int) -> Path:
        folder = self.data / "servers"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{pid}.json"


def apply_wishes(spawner: SessionSpawner, options: dict[str, Any]) -> None:
    """JupyterHub's apply_user_options: only what is on the list gets in, the rest is refused in words."""
    try:
        spawner.wishes = read_wishes(options)
    except Refused as refused:
        raise HTTPError(400, str(refused)) from None
    spawner.default_url = f"/lab/tree/{spawner.wishes.procedure}.ipynb" if spawner.wishes.dataset else "/lab"


def settle(home: Path) -> None:
    """Keep JupyterLab from asking newcomers about its news, and from calling home for it."""
    settings = home / ".jupyter" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))


def furnish(folder: Path, wishes: Wishes) -> None:
    """Put the descriptor and the starter notebook into a session's folder; what somebody has worked on stays."""
    folder.mkdir(parents=True, exist_ok=True)
    if wishes.dataset is None:
        return
    descriptor = json.dumps(wishes.descriptor(), indent=2, ensure_ascii=False)
    (folder / "dataset.json").write_text(descriptor + "\n", encoding="utf-8")
    for name, text in (
        (f"{wishes.procedure}.ipynb", notebook(wishes)),
        ("measurement.csv", measurement(wishes.dataset)),
    ):
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")

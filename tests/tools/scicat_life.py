"""What can happen at a SciCat: this file is the acts of random histories, on the stand-in with its clock, accounts and restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import truths
from harvesting import Site
from histories import Name, Time

from demo.scicat.accounts import Caller
from demo.scicat.engine import Page
from demo.scicat.server import app
from demo.scicat.store import INGESTOR, READER, Store
from demo.scicat.visibility import of_published, of_records
from harvesters import scicat
from schema.records import Kind

PIDS = (
    *(f"20.500.99001/{number}" for number in range(5)),
    "2024-05-01",
    "2024-05-01T00:00:00Z",
    "2023-11-30 run 7",
    "123",
    "a/b c?&#+%2F",
    "Å°β",
    "10.9999/of-somebody-else",
)
KEYS = {
    "Instrument": (Kind.INSTRUMENT, "pid"),
    "Proposal": (Kind.INVESTIGATION, "proposalId"),
    "Sample": (Kind.SAMPLE, "sampleId"),
    "PublishedData": (Kind.PUBLICATION, "doi"),
    "Dataset": (Kind.DATASET, "pid"),
}
WEIGHTS = {
    "create": 8,
    "change": 8,
    "delete": 5,
    "visibility": 5,
    "group": 5,
    "late commit": 8,
    "late delete and create": 3,
    "id reuse": 4,
    "ties": 4,
    "bad": 4,
    "bad, late": 3,
    "good again, late": 3,
    "others": 10,
    "others late": 4,
    "others deleted": 4,
    "rights": 1,
}
WORDS = ("one", "two", "2024-05-01", "N/A", "β-Ga2O3")
LOGINS = (None, INGESTOR, READER)


class ScicatLife:
    """A SciCat backend 4.25 or 5.2 that is read anonymously, by an administrator, or by a member of some groups."""

    def __init__(self, setup: int, time: Time) -> None:
        self.version = ("5.2", "4.25")[setup % 2]
        self.account = LOGINS[setup // 2 % 3]
        self._size = 1 + setup // 6 % 6
        self._names = 1 + setup // 36 % 5
        self.time = time
        self.store = Store(version=self.version, clock=time)
        self.app = app(self.store)
        self._groups = 0
        self.acts: dict[str, Callable[[int], None]] = {
            "create": lambda n: self._put(n, scientificMetadata={"energy": {"value": n % 9, "unit": "keV"}}),
            "change": lambda n: self._put(n, datasetName=WORDS[n // 12 % 5], keywords=[WORDS[n // 60 % 5]]),
            "delete": lambda n: self._delete("Dataset", PIDS[n % 12]),
            "visibility": lambda n: self._put(n, isPublished=n // 12 % 2 == 0),
            "group": lambda n: self._put(n, ownerGroup=f"g{n // 12 % 3}", accessGroups=[f"g{n // 36 % 3}"]),
            "late commit": lambda n: self._put(n, description=f"late {n}", updatedAt=self._before(n)),
            "late delete and create": lambda n: self._anew(n, updatedAt=self._before(n)),
            "id reuse": lambda n: self._anew(n),
            "ties": self._ties,
            "bad": lambda n: self._put(n, datasetName={"not": "a text"}),
            "bad, late": lambda n: self._put(n, datasetName={"not": f"a text {n}"}, updatedAt=self._before(n)),
            "good again, late": lambda n: self._put(n, datasetName="good", updatedAt=self._before(n)),
            "others": lambda n: self._other(n),
            "others late": lambda n: self._other(n, updatedAt=self._before(n)),
            "others deleted": self._other_deleted,
            "rights": self._rights,
        }
        for number in (0, 1, 5, 6, 8):
            time.next()
            self._put(number, isPublished=number % 2 == 0)
        for number in range(8):
            time.next()
            self._other(number)

    def site(self, folder: Path, world: truths.World) -> Site:
        """As histories.Life."""
        login = {"username": self.account.username, "password": "PASSWORD"} if self.account else None
        made = Site("scicat", "http://127.0.0.1:1/api/v3", folder, login, world, pageSize=self._size)
        made.secrets.values["PASSWORD"] = self.account.password if self.account else ""
        return made

    def present(self) -> dict[Name, datetime | None]:
        """As histories.Life."""
        account = self.store._accounts[self.account.username] if self.account else None
        caller = Caller(account, account is not None and "admin" in account.groups)
        rules = {"Instrument": {}, "PublishedData": of_published(caller)}
        return {
            (kind, doc.get(key) or doc["_id"]): doc["updatedAt"]
            for collection, (kind, key) in KEYS.items()
            for doc in self.store.engine.find(collection, rules.get(collection, of_records(caller)), Page())
        }

    def skew(self, hours: int) -> None:
        """As histories.Life."""
        self.store.skew = timedelta(hours=hours)
        self.store._expired_before = None  # told in the old clock; the tokens from before are garbage instead
        self.store.forget_secret()

    def restart(self, number: int) -> None:
        """Every token is garbage after every other restart (another secret), expired after the rest."""
        if number % 2:
            self.store.forget_secret()
        else:
            self.store.expire_tokens()
            self.time.next()  # what is given from now on is younger

    def tells_ties(self) -> bool:
        """Always: the cursor is the server's own clock."""
        return True

    def patches(self) -> Iterable[tuple[Any, str, int]]:
        """As histories.Life."""
        return ((scicat, "IDS_PAGE", self._names), (scicat, "TRUST_EVERY", 2))

    def calm(self) -> None:
        """Nothing is ever under way."""

    def _before(self, number: int) -> datetime:
        """A time before any bookmark, that no record has had."""
        return self.store.now() - timedelta(hours=1 + number % 9_000)

    def _put(self, number: int, **fields: Any) -> None:
        self.store.put_dataset(pid=PIDS[number % 12], **fields)

    def _anew(self, number: int, **fields: Any) -> None:
        self._delete("Dataset", PIDS[number % 12])
        self._put(number, datasetName=f"another {number}", isPublished=number % 2 == 0, **fields)

    def _delete(self, collection: str, key: str) -> None:
        with self.store.locked():
            self.store.engine.delete(collection, key)

    def _ties(self, number: int) -> None:
        """Several records changed at one instant, as an import does."""
        for more in range(4):
            self._put(number + more, description=f"tied {number}")

    def _other(self, number: int, **fields: Any) -> None:
        word, which = WORDS[number // 4 % 5], number // 20 % 3
        match number % 4:
            case 0:
                self.store.put_instrument(pid=f"2024-05-0{which + 1}", name=word, **fields)
                self._name(number, creationLocation=f"/Home/{WORDS[number // 60 % 5]}")  # by name alone
            case 1:
                named = {"instrumentIds": [f"2024-05-0{which + 1}"], "isPublished": number // 60 % 2 == 0}
                self.store.put_proposal(proposalId=f"p{which}", title=word, **named, **fields)
                self._name(number, proposalId=f"p{which}")
            case 2:
                self.store.put_sample(sampleId=f"2023-0{which + 1}-01", description=word, isPublished=True, **fields)
                self._name(number, sampleIds=[f"2023-0{which + 1}-01"])
            case _:
                pids = [PIDS[number // 60 % 12]]
                status = ("registered", "private")[number // 120 % 2]
                self.store.put_published(doi=f"10.82002/{which}", title=word, pidArray=pids, status=status, **fields)

    def _name(self, number: int, **fields: Any) -> None:
        """A dataset that is there names it."""
        if self.store.engine.get("Dataset", PIDS[number // 4 % 12]) is not None:
            self.store.put_dataset(pid=PIDS[number // 4 % 12], **fields)

    def _other_deleted(self, number: int) -> None:
        collection = ("Instrument", "Proposal", "Sample", "PublishedData")[number % 4]
        which = number // 4 % 3
        keys = (f"2024-05-0{which + 1}", f"p{which}", f"2023-0{which + 1}-01", f"10.82002/{which}")
        self._delete(collection, keys[number % 4])

    def _rights(self, number: int) -> None:
        """Our account gets or loses a group."""
        if self.account is not None:
            self._groups = 1 - self._groups
            more = ["g1"] if self._groups else []
            self.store.set_groups(self.account.username, [*self.account.groups, *more])

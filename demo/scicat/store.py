"""Everything the server keeps: documents behind the engine, accounts, tokens, its clock, its bad days."""

import secrets
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.scicat import accounts
from demo.scicat.accounts import Account, Caller
from demo.scicat.engine import Engine
from demo.scicat.faults import Fault, Faults, Kind
from demo.scicat.memory import MemoryEngine
from demo.scicat.refusals import refused
from demo.scicat.releases import DATE_FIELDS, RELEASES
from demo.scicat.values import Doc, as_date, encoded, object_id

INGESTOR = Account("ingestor", "harvest-secret", "ingestor@example.org", ("ingestor", "admin"))
READER = Account("reader", "reader-secret", "reader@example.org", ("readers",))
_LIFECYCLE = {
    "archivable": True,
    "retrievable": False,
    "publishable": False,
    "isOnCentralDisk": True,
    "archiveStatusMessage": "datasetCreated",
    "retrieveStatusMessage": "",
    "retrieveIntegrityCheck": False,
}


class Store:
    """A SciCat backend's state. Thread-safe: tests write while the server answers.

    `skew` moves the server's clock (its Date header, its timestamps, its tokens) against the real one; `capacity` is
    the number of requests at once beyond which it answers 500 (None: no end); `latency` the seconds that every answer takes;
    `history` says whether deletions are tracked (5.x); `requests` are the last ones, as "GET /path?query", `tokens` the last given.
    """

    def __init__(
        self,
        version: str = "5.2",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        groups: Iterable[Account] = (INGESTOR, READER),
        admin_groups: Iterable[str] = ("admin",),
        engine: Engine | None = None,
        prefix: str = "20.500.99001",
    ) -> None:
        """`version` is "5.2" or "4.25"; `groups` are the accounts with their groups; `prefix` begins new pids."""
        self.release = RELEASES[version]
        self.engine: Engine = engine if engine is not None else MemoryEngine()
        self.skew = timedelta(0)
        self.capacity: int | None = None
        self.history = self.release.modern
        self.ttl = 3600
        self.latency = 0.0
        self.tokens: deque[str] = deque(maxlen=1_000)
        self.requests: deque[str] = deque(maxlen=10_000)
        self.faults = Faults()
        self._clock = clock
        self._accounts = {account.username: account for account in groups}
        self._admin_groups = frozenset(admin_groups)
        self._prefix = prefix
        self._secret = secrets.token_hex(32)
        self._expired_before: datetime | None = None
        self._lock = threading.RLock()
        self.started = self.now()

    def now(self) -> datetime:
        """The server's clock."""
        return self._clock() + self.skew

    def locked(self) -> AbstractContextManager[object]:
        """Hold this over reads that belong together."""
        return self._lock

    def new_id(self) -> str:
        """A fresh ObjectId."""
        return object_id(self.now())

    # Writing, for tests and the demo.

    def put_dataset(self, **fields: Any) -> str:
        """Create a dataset, or change the given fields of the one with that `pid`; gives the pid.

        Values may be of any type, also wrong ones. Arrays not given are not stored. `updatedAt` moves to now unless it is given.
        """
        pid = str(fields.get("pid") or f"{self._prefix}/{uuid.uuid4()}")
        fixed: Doc = {
            "pid": pid,
            "type": "raw",
            "owner": "Nobody",
            "ownerGroup": "ingestor",
            "accessGroups": [],
            "isPublished": False,
            "datasetName": pid.rpartition("/")[2],
            "contactEmail": "nobody@example.org",
            "sourceFolder": f"/data/{pid.rpartition('/')[2]}",
            "size": 0,
            "packedSize": 0,
            "numberOfFiles": 0,
            "numberOfFilesArchived": 0,
            "classification": "IN=medium,AV=low,CO=low",
            "version": "3",
            "creationTime": self.now(),
            "datasetlifecycle": dict(_LIFECYCLE),
            "__v": 0,
        }
        return self._put("Dataset", pid, fields, fixed)

    def edit_database(self, pid: str, **fields: Any) -> None:
        """Change a dataset behind the server's back: `updatedAt` stays."""
        with self._lock:
            found = self.engine.get("Dataset", pid)
            if found is None:
                raise KeyError(pid)
            self.engine.put("Dataset", {**found, **_stored(fields)})

    def delete_dataset(self, pid: str, by: str = "archiveManager") -> None:
        """Hard delete; on 5.x with tracking a line of history is kept. Raises KeyError."""
        with self._lock:
            found = self.engine.get("Dataset", pid)
            if found is None:
                raise KeyError(pid)
            self.engine.delete("Dataset", pid)
            if self.history:
                self._remember(pid, found, by)

    def put_instrument(self, **fields: Any) -> str:
        """Create or change an instrument by `pid`; gives the pid."""
        pid = str(fields.get("pid") or uuid.uuid4())
        name = fields.get("name", pid)
        return self._put(
            "Instrument",
            pid,
            fields,
            {"pid": pid, "name": name, "uniqueName": f"{name} {pid[:12]}", "customMetadata": {}},
        )

    def put_proposal(self, **fields: Any) -> str:
        """Create or change a proposal by `proposalId`; gives it."""
        key = str(fields.get("proposalId") or uuid.uuid4())
        fixed: Doc = {
            "proposalId": key,
            "email": "nobody@example.org",
            "title": key,
            "isPublished": False,
            "ownerGroup": key,
        }
        more: Doc = {
            "accessGroups": [],
            "type": "Default Proposal",
            "parentProposalId": None,
            "instrumentIds": [],
            "metadata": {},
        }
        return self._put("Proposal", key, fields, {**fixed, **more, "MeasurementPeriodList": [], "numberOfDatasets": 0})

    def put_sample(self, **fields: Any) -> str:
        """Create or change a sample by `sampleId`; gives it."""
        key = str(fields.get("sampleId") or uuid.uuid4())
        fixed: Doc = {"sampleId": key, "ownerGroup": "ingestor", "accessGroups": [], "isPublished": False}
        if self.release.modern:
            fixed["sampleName"] = key
        return self._put("Sample", key, fields, fixed)

    def put_published(self, **fields: Any) -> str:
        """Create or change published data by `doi`, in the flat v3 shape; gives the DOI. `status` is registered by default."""
        doi = str(fields.get("doi") or f"10.82001/{uuid.uuid4()}")
        fixed: Doc = {
            "creator": [],
            "publisher": "",
            "publicationYear": self.now().year,
            "title": doi,
            "abstract": "",
            "url": "",
        }
        more: Doc = {
            "dataDescription": "",
            "resourceType": "raw",
            "pidArray": [],
            "status": "registered",
            "registeredTime": self.now(),
        }
        kept = {name: value for name, value in fields.items() if name != "doi"}
        return self._put(
            "PublishedData", doi, kept, {**fixed, **more, "relatedPublications": [], "scicatUser": "", "thumbnail": ""}
        )

    def put_origdatablock(self, **fields: Any) -> str:
        """Add a file list to the dataset `datasetId`, which moves that dataset's `updatedAt`; gives the block's id."""
        with self._lock:
            key = self._put_block("OrigDatablock", fields)
            if self.engine.get("Dataset", fields["datasetId"]) is not None:
                self.put_dataset(pid=fields["datasetId"])
            return key

    def put_datablock(self, **fields: Any) -> str:
        """Add an archived block of the dataset `datasetId`; gives the block's id."""
        return self._put_block("Datablock", fields)

    def put_attachment(self, **fields: Any) -> str:
        """Add a picture (`thumbnail` is a data URL) to the dataset `datasetId`; gives its id."""
        return self._put_block("Attachment", fields)

    def load(self, collection: str, doc: Mapping[str, Any]) -> None:
        """Lay a document into the database as it is, as an import would."""
        with self._lock:
            self.engine.put(collection, _stored(doc))

    # Tokens and bad days.

    def token(self, username: str, ttl: int | None = None) -> str:
        """A token as the login gives it; `ttl` in seconds (negative: already expired)."""
        token = accounts.issue(self._accounts[username], self._secret, self.now(), self.ttl if ttl is None else ttl)
        self.tokens.append(token)
        return token

    def expire_tokens(self) -> None:
        """Every token given so far has expired."""
        self._expired_before = self.now()

    def forget_secret(self) -> None:
        """Every token given so far is garbage, as after a restart with another JWT_SECRET."""
        self._secret = secrets.token_hex(32)

    def set_groups(self, username: str, groups: Iterable[str]) -> None:
        """The account is in these groups from now on."""
        old = self._accounts[username]
        self._accounts[username] = Account(old.username, old.password, old.email, tuple(groups))

    def fail_next(self, n: int, kind: Kind = "500", seconds: float = 0.0, path: str = "") -> None:
        """The next `n` requests whose URL contains `path` meet this fault."""
        self.faults.add(n, Fault(kind, seconds, path))

    def login(self, username: Any, password: Any) -> Account | None:
        """The account, when the password is right."""
        account = self._accounts.get(username) if isinstance(username, str) else None
        return (
            account
            if account
            and isinstance(password, str)
            and secrets.compare_digest(account.password.encode(), password.encode())
            else None
        )

    def caller(self, token: str | None) -> Caller:
        """Who holds the token. A bad one makes an anonymous caller; an expired one too on 4.25, on 5.x it is Refused."""
        if not token:
            return Caller()
        try:
            account = self._accounts[accounts.read(token, self._secret, self.now(), self._expired_before)]
        except (accounts.Bad, KeyError):
            return Caller()
        except accounts.Expired as error:
            if self.release.modern:
                raise refused(401, "SESSION_EXPIRED") from error
            return Caller()
        return Caller(account, bool(self._admin_groups & set(account.groups)))

    # Inside.

    def _put(self, collection: str, key: str, fields: Mapping[str, Any], fixed: Mapping[str, Any]) -> str:
        with self._lock:
            now = self.now()
            old = self.engine.get(collection, key)
            base = old or {**fixed, "createdBy": "ingestor", "createdAt": now}
            doc = {**base, "updatedBy": "ingestor", "updatedAt": now, **fields, "_id": key}
            self.engine.put(collection, _stored(doc, known=old))
            return key

    def _put_block(self, collection: str, fields: Mapping[str, Any]) -> str:
        key = str(fields.get("_id") or uuid.uuid4())
        with self._lock:
            dataset = self.engine.get("Dataset", fields["datasetId"]) or {}
        access: Doc = {name: dataset[name] for name in ("ownerGroup", "accessGroups", "isPublished") if name in dataset}
        return self._put(collection, key, fields, {"size": 0, **access} if collection != "Attachment" else access)

    def _remember(self, pid: str, before: Doc, by: str) -> None:
        now = self.now()
        line = {"subsystem": "Dataset", "documentId": pid, "before": before, "after": None, "operation": "delete"}
        self.engine.put("History", {"_id": object_id(now), **line, "user": by, "timestamp": now, "__v": 0})


def _stored(doc: Mapping[str, Any], known: Doc | None = None) -> Doc:
    """As the database keeps it: dates as dates, free keys encoded (what is `known` has them so already)."""
    fresh = {name: value for name, value in doc.items() if known is None or value is not known.get(name)}
    changed = {name: _dated(name, value) for name, value in encoded(fresh).items()}
    return {**(known or {}), **changed}


def _dated(name: str, value: Any) -> Any:
    if isinstance(value, dict) and name in {"datasetlifecycle", "MeasurementPeriodList", "dataFileList"}:
        return {key: _dated(key, inner) for key, inner in value.items()}
    if isinstance(value, list) and name in {"MeasurementPeriodList", "dataFileList"}:
        return [_dated(name, inner) for inner in value]
    return as_date(value) if name in DATE_FIELDS else value

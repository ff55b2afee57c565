"""Every recorded record of a real server in the reference data, with the crosswalk it goes through."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from schema.crosswalks import icat, icat_publications, scicat, scicat_published
from schema.crosswalks.place import Place
from schema.records import AnyRecord, Reject
from schema.techniques import default

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PLACE = Place(facility="home", source="home/one", vocabulary=default())
Crosswalk = Callable[[Place, object], AnyRecord | Reject]
SCICAT: dict[str, Crosswalk] = {
    "scicatlive-Dataset": scicat.dataset,
    "scicatlive-Instrument": scicat.instrument,
    "scicatlive-Proposal": scicat.proposal,
    "scicatlive-Sample": scicat.sample,
    "scicatlive-PublishedData": scicat_published.published,
    "v3_datasets": scicat.dataset,
    "v3_dataset_by_pid": scicat.dataset,
    "v3_dataset_include_all": scicat.dataset,
    "v3_fullquery": scicat.dataset,
    "v3_invalid_token": scicat.dataset,
    "v3_expired_token_200": scicat.dataset,
    "v4_datasets_default": scicat.dataset,
    "v4_datasets_public": scicat.dataset,
    "v4_datasets_anonymous": scicat.dataset,
    "v3_instruments": scicat.instrument,
    "v3_proposals": scicat.proposal,
    "v3_samples": scicat.sample,
    "v3_publisheddata": scicat_published.published,
    "v4_publisheddata": scicat_published.published,
}
ICAT: dict[str, Crosswalk] = {
    "Dataset": icat.dataset,
    "Investigation": icat.investigation,
    "Sample": icat.sample,
    "Instrument": icat.instrument,
    "DataPublication": icat_publications.publication,
}


def scicat_records() -> Iterator[tuple[str, Crosswalk, Any]]:
    for file in sorted([*DATA.glob("scicat/scicatlive-*.json"), *DATA.glob("wire/scicat/*/v*.json")]):
        found = [name for name in SCICAT if file.stem.startswith(name)]
        if not found or "count" in file.stem or file.stem[-3:] in ("400", "401", "403", "404", "500"):
            continue
        body = json.loads(file.read_text())
        for raw in body if isinstance(body, list) else [body]:
            if isinstance(raw, dict) and not set(raw) <= {
                "pid",
                "updatedAt",
                "_id",
                "statusCode",
                "message",
                "error",
                "count",
            }:
                yield f"{file.stem} {raw.get('pid', raw.get('_id'))}", SCICAT[max(found, key=len)], raw


def icat_records() -> Iterator[tuple[str, Crosswalk, Any]]:
    for file in sorted([*DATA.glob("wire/icat/rest-recorded/*.json"), *DATA.glob("wire/icat/run-*/*.json")]):
        body = json.loads(file.read_text())
        body = body.get("body") if isinstance(body, dict) and "request" in body else body
        for item in body if isinstance(body, list) else [body]:
            if isinstance(item, dict) and len(item) == 1:
                (name, bean), *_ = item.items()
                if name in ICAT and isinstance(bean, dict):
                    yield f"{file.parent.name}/{file.stem} {bean.get('id')}", ICAT[name], item


def dump_records() -> Iterator[tuple[str, Crosswalk, Any]]:
    """The dumps of python-icat: flat objects by key, with references to other keys."""
    names = {"dataset": "Dataset", "investigation": "Investigation", "sample": "Sample", "instrument": "Instrument"}
    for file in sorted([*DATA.glob("icat/icatdump-*.yaml"), *DATA.glob("wire/icat/dumps/*.yaml")]):
        for document in yaml.safe_load_all(file.read_text()):
            for name, rows in document.items() if isinstance(document, dict) else ():
                for key, raw in rows.items() if name in names and isinstance(rows, dict) else ():
                    plain = json.loads(json.dumps({"id": key, **raw}, default=lambda each: each.isoformat()))
                    yield f"{file.stem} {key}", ICAT[names[name]], plain


@cache
def recorded() -> tuple[tuple[str, Crosswalk, Any], ...]:
    """Name, crosswalk and raw record, of all of them."""
    return (*scicat_records(), *icat_records(), *dump_records())

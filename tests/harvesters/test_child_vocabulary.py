"""The vocabulary of the settings reaches the process that converts: techniques are named by it, not by the packaged one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from harvesting import FULL, SciCatSite

from demo.scicat.server import serve
from demo.scicat.store import Store
from harvesters import child
from schema.records import Dataset, Kind
from schema.techniques import Table, Term, Vocabulary, default, of

OWN = "https://vocabulary.example.org/T1"
PACKAGED = "http://purl.org/pan-science/PaNET/PaNET01188"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SciCatSite]:
    store = Store()
    store.put_dataset(pid="d", techniques=[{"pid": "x", "name": "SAXS"}])
    with serve(store) as url:
        yield SciCatSite(store, url, tmp_path)


def harvested(site: SciCatSite, vocabulary: Vocabulary | None) -> list[tuple[str | None, str]]:
    site.harvest(FULL, lambda order: child.walk(site.facility, site.source, order, site.secrets, vocabulary))
    site.world.ripen()
    (found,) = site.world.records.walk(Kind.DATASET)
    assert isinstance(found.record, Dataset)
    return [(each.pid, each.name) for each in found.record.techniques]


@pytest.mark.parametrize("vocabulary", [None, default()], ids=["none given", "the packaged"])
def test_without_another_it_is_the_packaged_one(site: SciCatSite, vocabulary: Vocabulary | None) -> None:
    ((pid, _),) = harvested(site, vocabulary)
    assert pid == PACKAGED


def test_the_vocabulary_that_is_given_names_the_techniques(site: SciCatSite) -> None:
    term = Term(OWN, "small angles", ("SAXS",))
    own = of(Table("Own", "Our techniques", "1", None, "https://x.example.org/", "us", (term,)))
    assert harvested(site, own) == [(OWN, "small angles")]


def test_a_vocabulary_keeps_the_table_it_was_made_of() -> None:
    again = of(msgspec.json.decode(msgspec.json.encode(default().table), type=Table))
    assert dict(again.terms) == dict(default().terms)
    spellings = ["SAXS", "diffraction", "X-ray excited optical luminescence (XEOL)", "PaNET01129", "no such technique"]
    assert [again.resolve(each) for each in spellings] == [default().resolve(each) for each in spellings]
    assert replace(default(), version="2").table is default().table

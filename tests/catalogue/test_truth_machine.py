"""The truth against a dictionary: pages, repeats, cuts, deaths, sweeps, embargoes, in any order."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from paper_index import PaperIndex
from truths import World, dataset, in_investigation, instrument, investigation

from catalogue import links
from catalogue.ports import Page
from catalogue.project import Projector
from catalogue.rebuild import rebuild
from schema.access import PUBLIC, Visibility
from schema.activities import Bookmark, HarvestMode, HarvestState
from schema.documents import by_name, is_name, join
from schema.records import AnyRecord, Document, Instrument, InstrumentPart, Kind, Publication

SOURCES = ("ill/icat", "ill/scicat")
IDS = st.sampled_from(["a", "b", "c"])
WORDS = st.sampled_from(["x", "y", "X"])
HOURS = st.none() | st.integers(0, 4)
Name = tuple[str, Kind, str]


@st.composite
def records(draw: Any, source: str, start: Any) -> AnyRecord:
    """A small record of a few names that meet often."""
    id, word, hours = draw(IDS), draw(WORDS), draw(HOURS)
    seen = Visibility(
        public=draw(st.booleans()),
        groups=draw(st.sampled_from([(), ("ill:g",), ("ill:g", "ill:h")])),
        public_from=None if hours is None else start + timedelta(hours=hours),
    )
    kind = draw(st.sampled_from(["dataset", "investigation", "instrument", "publication"]))
    if kind == "investigation":
        return investigation(id, source, title=word, visibility=seen)
    if kind == "instrument":
        return instrument(id, source, name=word, visibility=seen)
    if kind == "publication":
        held = tuple(draw(st.frozensets(IDS)))
        pid = f"10.5291/p{id}"
        return Publication(
            source=source, id=id, pid=pid, doi=pid, facility="ill", title=word, visibility=seen, datasets=held
        )
    return dataset(
        id,
        source,
        title=word,
        pid=f"10.5291/{draw(IDS)}" if draw(st.booleans()) else f"ill/dataset/{id}",
        visibility=seen,
        investigation=in_investigation(draw(IDS)),
        instruments=(draw(st.builds(InstrumentPart, id=IDS) | st.builds(InstrumentPart, name=WORDS)),),
    )


class TruthMachine(RuleBasedStateMachine):
    """The model is what the sources last said; everything else must follow from it."""

    @initialize(at_once=st.integers(0, 3), hidden=st.sampled_from(["a", "b", "none"]))
    def begin(self, at_once: int, hidden: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name) / "truth.db", order={"ill": SOURCES})
        self.start = self.world.clock()
        self.model: dict[Name, AnyRecord] = {}
        self.public: dict[Name, bool] = {}
        self.index = PaperIndex()
        self.projector = Projector(self.world.records, self.index)
        self.published: dict[tuple[Kind, str], tuple[int | None, object]] = {}
        self.at_once, links.AT_ONCE = links.AT_ONCE, at_once  # small, so that touches are owed
        self._begin_with_names_that_meet(hidden)

    def _begin_with_names_that_meet(self, hidden: str) -> None:
        later = Visibility(public=False, groups=("ill:g",), public_from=self.start + timedelta(hours=2))
        parts = {"investigation": in_investigation("a"), "instruments": (InstrumentPart(id="b"),)}
        page: list[AnyRecord] = [dataset(id, SOURCES[0], title="x", **parts) for id in "abc"]
        page += [investigation("a", SOURCES[0], **({"visibility": later} if hidden == "a" else {}))]
        page += [instrument("b", SOURCES[0], **({"visibility": later} if hidden == "b" else {}))]
        self.world.harvest(Page(records=tuple(page)), source=SOURCES[0])
        for record in page:
            self._tell(record)
        self.projector.project()

    def teardown(self) -> None:
        links.AT_ONCE = self.at_once
        self.world.database.close()
        self.folder.cleanup()

    @rule(data=st.data(), source=st.sampled_from(SOURCES), twice=st.booleans(), cut=st.booleans())
    def harvest(self, data: Any, source: str, twice: bool, cut: bool) -> None:
        pages = data.draw(st.lists(st.lists(records(source, self.start), max_size=5), max_size=3))
        gone = data.draw(st.lists(st.sampled_from(sorted(self.model)), max_size=2)) if self.model else []
        lease = self.world.lease(source)
        run = self.world.harvests.begin(lease, source, HarvestMode.INCREMENTAL)
        for number, page in enumerate(pages):
            step = Page(
                records=tuple(page),
                gone=tuple((kind, id) for of, kind, id in gone if of == source) if number == 0 else (),
                bookmark=Bookmark({"page": number}),
            )
            after = self.world.harvests.commit(lease, run, step)
            if twice:
                assert self.world.harvests.commit(lease, run, step) == after
            run = after
            for record in page:
                self._tell(record)
            for name in (name for name in gone if name[0] == source and number == 0):
                self.model.pop(name, None)
        if not cut:
            self.world.harvests.close(lease, run, HarvestState.DONE, "", None)

    def _tell(self, record: AnyRecord) -> None:
        name = (record.source, record.kind, record.id)
        if self.model.get(name) != record:
            self.public[name] = record.visibility.is_public(self.world.clock())
        self.model[name] = record

    @rule(data=st.data(), source=st.sampled_from(SOURCES))
    def sweep(self, data: Any, source: str) -> None:
        own = sorted(name for name in self.model if name[0] == source)
        kept = data.draw(st.sets(st.sampled_from(own))) if own else set()
        lease = self.world.lease(source)
        run = self.world.harvests.begin(lease, source, HarvestMode.FULL)
        run = self.world.harvests.commit(lease, run, Page(records=tuple(self.model[name] for name in sorted(kept))))
        while self.world.harvests.sweep(lease, run, list(Kind), 2):
            pass
        self.world.harvests.close(lease, run, HarvestState.DONE, "", None)
        self.model = {name: record for name, record in self.model.items() if name[0] != source or name in kept}

    @rule(hours=st.integers(1, 2))
    def time_passes(self, hours: int) -> None:
        self.world.clock.forward(hours=hours)

    @rule(limit=st.integers(1, 5))
    def follow(self, limit: int) -> None:
        self.projector.project(limit)
        for name, record in self.model.items():
            self.public[name] |= record.visibility.is_public(self.world.clock())
        assert self._shown(self.index) == self._expected()
        assert self.index.mark() == self.world.records.head()
        self._public_numbers_tell_public_news()

    def _public_numbers_tell_public_news(self) -> None:
        """Whoever knows a document's public number knows what it shows."""
        published = {
            name: (document.public_number, (replace(document.record, visibility=PUBLIC), document.provenance))
            for name, (document, public) in self.index.live().items()
            if public
        }
        for name, (number, shown) in published.items():
            before = self.published.get(name)
            assert before is None or (before[0] == number) <= (before[1] == shown)
        told = {(kind, pid): (number, alive) for number, kind, pid, alive in self.world.records.public_changed(0, 999)}
        assert {name: number for name, (number, alive) in told.items() if alive} == {
            name: number for name, (number, _) in published.items()
        }
        assert all(name in told for name in self.published), "what was public leaves a public tombstone"
        self.published = published

    @precondition(lambda self: self.model)
    @rule()
    def build_anew(self) -> None:
        self.follow(3)
        before = self.index.live()
        rebuild(self.projector, 2)
        assert self.index.live() == before

    @invariant()
    def every_number_is_given_once_and_a_pid_is_live_when_a_record_of_it_is(self) -> None:
        truth = self.world.records
        numbers = [entry.version for entry in truth.news(0, 1_000)]
        assert len(set(numbers)) == len(numbers)
        assert max(numbers, default=0) == truth.head()
        assert truth.count() == len({(record.kind, record.pid) for record in self.model.values()})
        for (source, kind, id), record in self.model.items():
            assert truth.record(source, kind, id) == record

    def _expected(self) -> dict[tuple[Kind, str], tuple[AnyRecord, bool, tuple[str, ...]]]:
        """Every document as it must be, from the model alone."""
        expected = {}
        groups: dict[tuple[Kind, str], list[Name]] = {}
        for name in sorted(self.model, key=lambda name: (SOURCES.index(name[0]), name[2])):
            record = self.model[name]
            groups.setdefault((record.kind, record.pid), []).append(name)
        for key, names in groups.items():
            first = names[0]
            beside = [name for name in names[1:] if self._covered(name, first)]
            shown = self._joined(first)
            if self.public[first]:
                shown = replace(shown, visibility=PUBLIC)
            expected[key] = (shown, self.public[first], tuple(name[0] for name in (first, *beside)))
        return expected

    def _covered(self, wide: Name, narrow: Name) -> bool:
        if self.public[wide] or self.public[narrow]:
            return self.public[wide]
        return set(self.model[narrow].visibility.groups) <= set(self.model[wide].visibility.groups)

    def _joined(self, name: Name) -> AnyRecord:
        record = self.model[name]

        def lookup(kind: Kind, id: str) -> AnyRecord | None:
            if is_name(id):
                called = [
                    each
                    for place, each in self.model.items()
                    if isinstance(each, Instrument) and place[0] == name[0] and self._covered(place, name)
                    if by_name(each.name) == id
                ]
                return called[0] if len(called) == 1 else None
            there = (name[0], kind, id)
            return self.model[there] if there in self.model and self._covered(there, name) else None

        holders = [
            other
            for place, other in self.model.items()
            if isinstance(other, Publication)
            and place[0] == name[0]
            and record.kind is Kind.DATASET
            and record.id in other.datasets
            and self._covered(place, name)
        ]
        return join(record, lookup, holders)

    @staticmethod
    def _shown(index: PaperIndex) -> dict[tuple[Kind, str], tuple[AnyRecord, bool, tuple[str, ...]]]:
        def sources(document: Document) -> tuple[str, ...]:
            return tuple(way.source for way in document.provenance)

        return {name: (document.record, public, sources(document)) for name, (document, public) in index.live().items()}


TestTruth = TruthMachine.TestCase
TestTruth.settings = settings(max_examples=30, stateful_step_count=20)

"""The line from a seed to a facility's whole life."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from demo.world import science
from demo.world.methods import METHODS, Method
from demo.world.people import people
from demo.world.records import (
    USERS,
    Dataset,
    Instrument,
    Investigation,
    Member,
    Person,
    Publication,
    Sample,
    World,
)
from demo.world.stations import STATIONS, Probe, Station
from demo.world.words import MATERIALS, ROLES, Material

TODAY = datetime(2026, 11, 22, tzinfo=UTC)
"""The day on which the demo plays: embargoes lie around it."""
_FIRST_DAY = datetime(2015, 1, 12, 8, tzinfo=UTC)
_EMBARGO = timedelta(days=3 * 365)
_SIGNED_IN = ((0, 1), (1,), (2,), (0, 2), (1, 2), (0,))
"""Who of the visitors is in the first investigations, all of them embargoed."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a facility is called, its probe, its DOI prefix, how it numbers proposals ({year}, {n}), a year's first number."""

    full_name: str
    probe: Probe
    prefix: str
    number: str
    first: int = 1


FACILITIES = {
    "freya": Profile("Freya Light Source", "x-ray", "10.82001", "p-{year}-{n:03d}", 14),
    "skadi": Profile("Skadi Neutron Source", "neutron", "10.82002", "p-{year}-{n:03d}", 21),
}


@dataclass(frozen=True, slots=True)
class _Setting:
    """What every part of one world is made from."""

    rng: Random
    facility: str
    profile: Profile
    stations: tuple[Station, ...]
    crowd: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """An investigation with what its measurements will be made of."""

    investigation: Investigation
    material: Material
    method: Method
    samples: tuple[int, ...]


def world(
    facility: str,
    seed: int,
    datasets: int,
    instruments: Sequence[str] | None = None,
    probe: Probe | None = None,
) -> World:
    """The facility's life with exactly that many datasets; `instruments` picks stations by name.

    A facility that FACILITIES does not know is a neutron source unless `probe` says otherwise. Raises ValueError
    when an instrument is unknown.
    """
    rng = Random(f"{facility}/{seed}")  # noqa: S311 - invented data, not secrets
    profile = FACILITIES.get(facility, Profile(facility.title(), "neutron", "10.82099", "{year}{n:04d}"))
    stations = _stations(probe or profile.probe, instruments)
    crowd = people(rng, max(12, min(900, datasets // 6)))
    setting = _Setting(rng, facility, profile, stations, crowd)
    samples: list[Sample] = []
    plans = _plans(setting, max(len(_SIGNED_IN), datasets // 12), samples)
    made = _datasets(setting, plans, samples, datasets)
    return World(
        facility=facility,
        full_name=profile.full_name,
        instruments=tuple(Instrument(s.name, s.full_name, s.description) for s in stations),
        people=crowd,
        investigations=tuple(plan.investigation for plan in plans),
        samples=tuple(samples),
        datasets=made,
        publications=_publications(setting, plans, made),
    )


def _stations(probe: Probe, names: Sequence[str] | None) -> tuple[Station, ...]:
    known = {station.name: station for station in STATIONS}
    if names is None:
        return tuple(station for station in STATIONS if station.probe == probe)
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"no such instrument: {', '.join(missing)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names)


def _plans(setting: _Setting, count: int, samples: list[Sample]) -> tuple[_Plan, ...]:
    rng, profile, stations = setting.rng, setting.profile, setting.stations
    numbers: dict[int, int] = {}
    plans = []
    for index in range(count):
        visitors = _SIGNED_IN[index] if index < len(_SIGNED_IN) else ()
        instrument = rng.randrange(len(stations))
        method = METHODS[rng.choice(stations[instrument].methods)]
        material = rng.choice([m for m in MATERIALS if m.field in method.fields])
        start = _start(rng, index, bool(visitors))
        numbers[start.year] = numbers.get(start.year, profile.first - 1) + 1
        words = science.words_of(rng, material, method, stations[instrument].name)
        end = start + timedelta(days=rng.randrange(1, 8), hours=rng.randrange(0, 12))
        investigation = Investigation(
            number=profile.number.format(year=start.year, n=numbers[start.year]),
            title=science.title(rng, words),
            abstract=science.abstract(rng, words),
            start=start,
            end=end,
            release=_release(rng, end, bool(visitors)),
            instrument=instrument,
            members=_members(rng, setting.crowd, visitors),
            keywords=(*material.keywords, science.label(method)),
        )
        first = len(samples)
        samples.extend(_samples(rng, material, index))
        plans.append(_Plan(investigation, material, method, tuple(range(first, len(samples)))))
    return tuple(plans)


def _start(rng: Random, index: int, visited: bool) -> datetime:
    if visited:
        return datetime(2026, 3 + index, 4 + 3 * index, 9, tzinfo=UTC)
    span = int((TODAY - timedelta(days=25) - _FIRST_DAY) / timedelta(hours=1))
    return _FIRST_DAY + timedelta(hours=rng.randrange(span))


def _release(rng: Random, end: datetime, visited: bool) -> datetime:
    """Three years after the end, as most facilities have it; some teams open their data at once."""
    if not visited and rng.random() < 0.25:
        return end
    return min(end + _EMBARGO, TODAY + _EMBARGO)


def _members(rng: Random, crowd: tuple[Person, ...], visitors: tuple[int, ...]) -> tuple[Member, ...]:
    size = rng.randrange(2, 7)
    others = rng.sample(range(len(USERS), len(crowd)), min(size, len(crowd) - len(USERS)))
    guests = visitors or ((rng.randrange(len(USERS)),) if rng.random() < 0.03 else ())
    order = (*guests, *others) if visitors else (*others, *guests)
    return tuple(
        Member(person, "Principal investigator" if place == 0 else rng.choice(ROLES))
        for place, person in enumerate(order)
    )


def _samples(rng: Random, material: Material, investigation: int) -> list[Sample]:
    count = rng.randrange(1, 5)
    return [
        Sample(f"{material.name} #{rng.randrange(1, 400):03d}", material.formula, material.type, investigation)
        for _ in range(count)
    ]


def _datasets(setting: _Setting, plans: tuple[_Plan, ...], samples: list[Sample], count: int) -> tuple[Dataset, ...]:
    rng = setting.rng
    shares = [rng.paretovariate(1.3) for _ in plans]
    places = [*range(min(count, len(plans))), *rng.choices(range(len(plans)), shares, k=max(0, count - len(plans)))]
    return tuple(
        _dataset(setting, place, plans[place], samples, run) for run, place in enumerate(sorted(places), start=10_001)
    )


def _dataset(setting: _Setting, place: int, plan: _Plan, samples: list[Sample], run: int) -> Dataset:
    rng, facility = setting.rng, setting.facility
    told, method, material = plan.investigation, plan.method, plan.material
    station = setting.stations[told.instrument]
    sample = rng.choice(plan.samples)
    parameters = science.parameters(rng, method, material)
    known = [p for p in parameters if p.unit]
    start = told.start + (told.end - told.start) * rng.random()
    start = start.replace(microsecond=start.microsecond // 1000 * 1000)
    main = rng.choice(known)
    opened = told.release <= TODAY and rng.random() < 0.3
    files = min(20_000, int(rng.paretovariate(0.7)))
    name = f"{_slug(material.formula)}_{method.name}_{run}"
    return Dataset(
        name=name,
        title=f"{science.label(method).capitalize()} of {samples[sample].name} ({material.formula}), "
        f"{main.name.replace('_', ' ')} {science.shown(main.value)} {main.unit}",
        description=science.description(rng, material, method, parameters),
        investigation=place,
        instrument=told.instrument,
        sample=sample,
        techniques=method.techniques if rng.random() < 0.7 else method.techniques[:1],
        parameters=parameters,
        start=start,
        end=start + timedelta(seconds=rng.randrange(20, 14_400)),
        location=f"/data/{facility}/{_slug(station.name).lower()}/{told.start.year}/{_slug(told.number)}/raw/{name}",
        file_count=files,
        bytes=files * rng.randrange(50_000, 40_000_000),
        formats=method.formats if rng.random() < 0.5 else method.formats[:1],
        doi=f"{setting.profile.prefix}/{facility}.ds.{run}" if opened else None,
        keywords=told.keywords,
    )


def _publications(setting: _Setting, plans: tuple[_Plan, ...], made: tuple[Dataset, ...]) -> tuple[Publication, ...]:
    rng, facility, profile = setting.rng, setting.facility, setting.profile
    inside: dict[int, list[int]] = {}
    for index, dataset in enumerate(made):
        inside.setdefault(dataset.investigation, []).append(index)
    publications = []
    for place, members in inside.items():
        told = plans[place].investigation
        if told.release > TODAY or rng.random() > 0.5:
            continue
        published = min(TODAY - timedelta(days=1), told.end + timedelta(days=rng.randrange(30, 1500)))
        publications.append(
            Publication(
                doi=f"{profile.prefix}/{facility}.{told.start.year}.{place:05d}",
                title=f"Data of: {told.title}",
                abstract=told.abstract,
                year=published.year,
                published=published,
                investigation=place,
                creators=tuple(member.person for member in told.members),
                datasets=tuple(rng.sample(members, rng.randrange(1, min(len(members), 25) + 1))),
            )
        )
    return tuple(publications)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+-]+", "-", text).strip("-")

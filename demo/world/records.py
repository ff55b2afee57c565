"""The shapes of an invented facility's life, belonging to no catalogue's dialect."""

from dataclasses import dataclass
from datetime import datetime

Value = float | str | tuple[float, float]
"""A parameter's value: a number, a text, or a range (low, high)."""

USERS = ("ada", "bohr", "curie")
"""The sign-in names of the demo's visitors."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A beamline or neutron instrument."""

    name: str
    full_name: str
    description: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist. `orcid` has a valid ISO 7064 checksum; `user` is a demo sign-in name."""

    full_name: str
    given: str
    family: str
    orcid: str | None
    affiliation: str
    user: str | None = None

    @property
    def email(self) -> str:
        """An address in a domain that never delivers (RFC 2606)."""
        if self.user:
            return f"{self.user}@example.org"
        letters = "".join(c for c in f"{self.given}.{self.family}".lower() if c.isascii() and (c.isalnum() or c == "."))
        return f"{letters}@example.org"


@dataclass(frozen=True, slots=True)
class Member:
    """A person (index into World.people) and the role in an investigation: 'Principal investigator', …"""

    person: int
    role: str


@dataclass(frozen=True, slots=True)
class Investigation:
    """A proposal that got beam time. `instrument` indexes World.instruments; before `release` only members may look."""

    number: str
    title: str
    abstract: str
    start: datetime
    end: datetime
    release: datetime
    instrument: int
    members: tuple[Member, ...]
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was put into the beam; `investigation` indexes World.investigations."""

    name: str
    formula: str
    type: str
    investigation: int


@dataclass(frozen=True, slots=True)
class Technique:
    """An experimental technique of PaNET 1.3.0: code such as 'PaNET01188' and its label."""

    code: str
    label: str

    @property
    def iri(self) -> str:
        """The technique's PURL."""
        return f"http://purl.org/pan-science/PaNET/{self.code}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A measured or set quantity; `unit` is '' where there is none."""

    name: str
    value: Value
    unit: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """One measurement; `investigation`, `instrument` and `sample` index the World's tuples; `bytes` in bytes."""

    name: str
    title: str
    description: str
    investigation: int
    instrument: int
    sample: int
    techniques: tuple[Technique, ...]
    parameters: tuple[Parameter, ...]
    start: datetime
    end: datetime
    location: str
    file_count: int
    bytes: int
    formats: tuple[str, ...]
    doi: str | None
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """A citable collection of datasets under a DOI; `datasets` index World.datasets, `creators` World.people."""

    doi: str
    title: str
    abstract: str
    year: int
    published: datetime
    investigation: int
    creators: tuple[int, ...]
    datasets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class World:
    """Everything of one facility; the same arguments always give the same world."""

    facility: str
    full_name: str
    instruments: tuple[Instrument, ...]
    people: tuple[Person, ...]
    investigations: tuple[Investigation, ...]
    samples: tuple[Sample, ...]
    datasets: tuple[Dataset, ...]
    publications: tuple[Publication, ...]

"""A facility's invented life, seeded and pure: instruments, people, investigations, samples, datasets, publications."""

from demo.world.generate import FACILITIES, world
from demo.world.records import (
    USERS,
    Dataset,
    Instrument,
    Investigation,
    Member,
    Parameter,
    Person,
    Publication,
    Sample,
    Technique,
    Value,
    World,
)
from demo.world.stations import Probe

__all__ = [
    "FACILITIES",
    "USERS",
    "Dataset",
    "Instrument",
    "Investigation",
    "Member",
    "Parameter",
    "Person",
    "Probe",
    "Publication",
    "Sample",
    "Technique",
    "Value",
    "World",
    "world",
]

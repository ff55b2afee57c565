"""Persons who do not exist, with ORCID iDs whose checksum is right."""

from random import Random

from demo.world.records import USERS, Person
from demo.world.words import AFFILIATIONS, FAMILY, GIVEN

_VISITORS = (("Ada", "Example"), ("Bohr", "Example"), ("Curie", "Example"))


def checksum(digits: str) -> str:
    """The last character of an ORCID iD for its first 15 digits (ISO 7064 MOD 11-2)."""
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)


def orcid(rng: Random) -> str:
    """A well-formed iD in the block 0009-0, written with hyphens."""
    digits = "0009000" + f"{rng.randrange(10**8):08d}"
    whole = digits + checksum(digits)
    return "-".join(whole[i : i + 4] for i in range(0, 16, 4))


def people(rng: Random, count: int) -> tuple[Person, ...]:
    """The demo's three visitors first, then others up to `count`, no name twice."""
    visitors = [
        Person(f"{given} {family}", given, family, orcid(rng), rng.choice(AFFILIATIONS), user)
        for user, (given, family) in zip(USERS, _VISITORS, strict=True)
    ]
    pairs = [(given, family) for given in GIVEN for family in FAMILY]
    others = [
        Person(f"{given} {family}", given, family, orcid(rng) if rng.random() < 0.6 else None, rng.choice(AFFILIATIONS))
        for given, family in rng.sample(pairs, min(len(pairs), max(0, count - len(visitors))))
    ]
    return (*visitors, *others)

"""The word lists of an invented facility: materials (of materials.csv), names of nobody, homes of nobody."""

import csv
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Material:
    """A sample's common name, its formula, its kind, the field it belongs to, and questions people ask about it."""

    name: str
    formula: str
    type: str
    field: str
    questions: tuple[str, ...]
    keywords: tuple[str, ...]


def _materials() -> tuple[Material, ...]:
    rows = csv.DictReader(files("demo.world").joinpath("materials.csv").read_text(encoding="utf-8").splitlines())
    return tuple(
        Material(
            name=row["name"],
            formula=row["formula"],
            type=row["type"],
            field=row["field"],
            questions=tuple(row["questions"].split("; ")),
            keywords=tuple(row["keywords"].split("; ")),
        )
        for row in rows
    )


MATERIALS = _materials()

_GIVEN = """
Alma Birk Carla Dario Eline Farid Greta Hiro Ilse Joost Kaisa Leif Mira Nadia Oskar Petra Quirin Rosa Sven
Tove Uma Viggo Wanda Xenia Ylva Zeno Aino Bastien Chiara Dragan Elif Fionn Giulia Henrik Ines Jaromír Katalin
Lucía Mateusz Noémie Ondřej Priya René Søren Théo Ulrike Veronika Wen Yusuf Zofia
"""
GIVEN = tuple(_GIVEN.split())

_FAMILY = """
Abelund Bergqvist Castellari Dvorský Eriksholm Fontanel Grünewaldt Haldorsen Ivanescu Jørgensrud Kowalczek
Lindqvister Moreauval Nakagiri Oyelowo Petrovsky-Lind Quintero-Vale Rossendal Szabolyi Thorvaldsen Umberti
Vanderholt Weissbrunn Xylander Yamakura Zielonka Almqvisten Brancatelli Czerwinska Delacroix-Noel
Engelbrektsen Fjeldsted Gärtnerova Hakimzadeh Isakovic Jansohn Kristoffy Lemoyne Marchettini Nordahlen
Ottersbach Papandreas Rautiala Sandvikar Tremblinson Ullmark Vasquerro Winterhalt Zachariassen Østergren
"""
FAMILY = tuple(_FAMILY.split())

AFFILIATIONS = (
    "University of Nordhavn, Department of Physics",
    "Technical University of Brennerstadt, Materials Science",
    "Institute of Soft Matter, Villareale",
    "Alderney Polytechnic, Chemical Engineering",
    "National Laboratory for Quantum Materials, Sundby",
    "Centre for Structural Biology, Oakmere",
    "School of Earth Sciences, University of Montclair-sur-Lac",
    "Heritage Science Institute, Porto Antico",
    "Battery Research Hub, Eisenau",
    "Academy of Sciences, Catalysis Group, Bělohrad",
)

ROLES = ("Co-investigator", "Co-investigator", "Student", "Local contact", "Data analyst")

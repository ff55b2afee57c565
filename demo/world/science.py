"""Sentences and numbers of invented science: titles, abstracts, descriptions, parameters of a measurement."""

from random import Random

from demo.world.methods import Knob, Method
from demo.world.records import Parameter, Value
from demo.world.words import Material

_TITLES = (
    "{question} in {name} ({formula}) studied by {label}",
    "{aim}: {question} in {formula}",
    "{label} of {name}: {question}",
    "{question} of {formula} {condition}",
    "In situ {label} on {name} {condition}",
)
_OPENINGS = (
    "{name} ({formula}) is a reference system for {keyword}, yet {question} remains disputed.",
    "The aim of this proposal is {aim} in {formula}, where {question} decides about the properties.",
    "Earlier work on {formula} at other facilities found indications of {question}, but with insufficient resolution.",
)
_MIDDLES = (
    "We propose {label} on {station} {condition}, with particular attention to {aim}.",
    "Using {label} {condition} we will measure a series of {count} samples prepared under identical conditions.",
    "On {station} we will combine {label} with a sample environment that works {condition}.",
)
_ENDINGS = (
    "The data will be compared with density functional theory and released after the embargo.",
    "The results will constrain models of {keyword} and guide the synthesis of the next generation of samples.",
    "{count} shifts suffice, as shown by a test measurement with the same {type}.",
    "Together with laboratory characterisation this gives a complete picture of {question}.",
)

_EDGES = ("Fe K edge (7.112 keV)", "Cu K edge (8.979 keV)", "Mn L3 edge (640 eV)", "Ce L3 edge (5.723 keV)")


def label(method: Method) -> str:
    """What people call the method in a sentence."""
    return method.techniques[0].label.strip()


def condition(rng: Random) -> str:
    """A phrase with a temperature, pressure, field or energy in it."""
    forms = (
        lambda: f"at {rng.choice((1.5, 4.2, 10, 25, 77, 100, 298))} K",
        lambda: f"between {rng.randrange(2, 60)} K and {rng.randrange(80, 320)} K",
        lambda: f"under pressures up to {rng.choice((2.5, 8, 12, 25, 40, 62))} GPa",
        lambda: f"in magnetic fields up to {rng.choice((2, 5, 7, 9, 14))} T",
        lambda: f"at {rng.choice((25, 37, 60, 150, 450, 800, 1100))} °C",
        lambda: f"near the {rng.choice(_EDGES)}",
        lambda: f"at pH {rng.choice((4.5, 6.8, 7.4, 9.0))}",
    )
    return rng.choice(forms)()


def words_of(rng: Random, material: Material, method: Method, station: str) -> dict[str, str]:
    """The fillings of the sentence forms for one investigation."""
    return {
        "name": material.name,
        "formula": material.formula,
        "type": material.type,
        "question": rng.choice(material.questions),
        "keyword": rng.choice(material.keywords),
        "aim": rng.choice(method.aims),
        "label": label(method),
        "condition": condition(rng),
        "station": station,
        "count": str(rng.randrange(3, 18)),
    }


def title(rng: Random, words: dict[str, str]) -> str:
    """An investigation's title."""
    return _capital(rng.choice(_TITLES).format_map(words))


def abstract(rng: Random, words: dict[str, str]) -> str:
    """An investigation's abstract: three or four sentences."""
    forms = [rng.choice(_OPENINGS), rng.choice(_MIDDLES), *rng.sample(_ENDINGS, rng.choice((1, 2)))]
    return " ".join(_capital(form.format_map(words)) for form in forms)


def description(rng: Random, material: Material, method: Method, parameters: tuple[Parameter, ...]) -> str:
    """A dataset's description, naming two of its own parameters."""
    told = [f"{p.name.replace('_', ' ')} {shown(p.value)} {p.unit}".strip() for p in rng.sample(parameters, 2)]
    purpose = rng.choice(("Reference", "Production", "Alignment check", "Repeat", "Overnight", "Production"))
    return f"{purpose} measurement of {material.name} ({material.formula}), {label(method)}; {told[0]}, {told[1]}."


def shown(value: Value) -> str:
    """A value as people write it; a range with an en dash."""
    if isinstance(value, tuple):
        return f"{value[0]:g}–{value[1]:g}"
    return value if isinstance(value, str) else f"{value:g}"


def parameters(rng: Random, method: Method, material: Material) -> tuple[Parameter, ...]:
    """The knobs of the method turned somewhere, and two plain texts."""
    turned = [Parameter(knob.name, _turned(rng, knob), knob.unit) for knob in method.knobs]
    return (
        *turned,
        Parameter(
            "sample_environment", rng.choice(("cryostat", "furnace", "ambient", "pressure cell", "flow cell")), ""
        ),
        Parameter("sample_formula", material.formula, ""),
    )


def _turned(rng: Random, knob: Knob) -> Value:
    one = round(rng.uniform(knob.low, knob.high), knob.digits)
    if knob.spread and rng.random() < 0.3:
        other = round(rng.uniform(knob.low, knob.high), knob.digits)
        return (min(one, other), max(one, other))
    return one


def _capital(text: str) -> str:
    return text if text[:2] in {"α-", "pH"} else text[:1].upper() + text[1:]

"""This file is the limits of a document, each at one below, at, and one above, and the laws of the linear pre-pass."""

import pytest
from graphql import Lexer, Source, TokenKind, build_schema, get_introspection_query, parse
from graphql_world import ALICE, World
from hypothesis import given
from hypothesis import strategies as st

from gateway import limits
from gateway.graphql.api import SCHEMA
from gateway.limits import Limits
from schema.errors import LimitExceeded

NUMBERS = Limits()


def nested(levels: int) -> str:
    return "{" + "a{" * (levels - 1) + "b" + "}" * levels


def many(count: int, one: str) -> str:
    return "{" + " ".join(one.format(at) for at in range(count)) + "}"


def fragments(count: int) -> str:
    spelt = " ".join(f"fragment F{at} on Query{{x{at}}}" for at in range(count))
    return "{...F0}" + spelt


def repeats(count: int) -> str:
    return "{a{" + "title " * count + "}}"


DOCUMENTS = {
    "depth": (NUMBERS.depth, nested),
    "aliases": (NUMBERS.aliases, lambda count: "{x{" + " ".join(f"a{at}:b" for at in range(count)) + "}}"),
    "aliases through fragments": (
        NUMBERS.aliases,
        lambda count: "{x{a:b" + "...F" * (count - 1) + "}} fragment F on T{c:d}",
    ),
    "root fields": (NUMBERS.root_fields, lambda count: many(count, "f{}")),
    "root fields through a fragment": (
        NUMBERS.root_fields,
        lambda count: "{...F} fragment F on Query" + many(count, "f{}"),
    ),
    "repeats": (NUMBERS.repeats, repeats),
    "repeats under an alias": (NUMBERS.repeats, lambda count: "{a{title " + "title:b{c}" * 9 + "title " * (count - 10) + "}}"),
    "fragments": (NUMBERS.fragments, fragments),
    "spreads": (NUMBERS.spreads, lambda count: "{a{" + "...F " * count + "}} fragment F on T{b}"),
    "inline fragments": (NUMBERS.inline_fragments, lambda count: "{a{" + "...on T{b}" * 1 + "...{c}" * (count - 1) + "}}"),
    "directives": (NUMBERS.directives, lambda count: "{a" + " @x" * count + "}"),
    "values in a list": (NUMBERS.list_length, lambda count: "{a(ids:[" + "1 " * count + "])}"),
}  # fmt: skip


def passes(document: str, numbers: Limits = NUMBERS) -> bool:
    try:
        limits.check(parse(document), numbers)
    except LimitExceeded:
        return False
    return True


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_passes_up_to_the_limit_and_not_beyond(name):
    limit, made = DOCUMENTS[name]
    # what is repeated in the making of one document must not run into another limit
    numbers = Limits(repeats=1_000) if name not in ("repeats", "repeats under an alias") else NUMBERS
    assert [passes(made(count), numbers) for count in (limit - 1, limit, limit + 1)] == [True, True, False]


def test_fields_are_counted_with_fragments_spelt_out():
    def doubling(levels: int, rest: int) -> str:
        chain = " ".join(f"fragment F{at} on T{{a{at}{{...F{at + 1} ...F{at + 1}}}}}" for at in range(levels))
        last = f"fragment F{levels} on T{{" + " ".join(f"x{at}" for at in range(rest)) + "}"
        return "{q{...F0}}" + chain + last

    # 1 + (2^5 - 1) + 2^5 * n fields
    loose = Limits(spreads=10_000)
    assert passes(doubling(5, 311), loose)  # 9,984
    assert not passes(doubling(5, 312), loose)  # 10,016


def test_the_number_of_fields_is_exact_at_its_limit():
    document = "{q{" + " ".join(f"x{at}" for at in range(9)) + "}}"  # ten fields
    assert [passes(document, Limits(nodes=limit)) for limit in (11, 10, 9)] == [True, True, False]


def about_types(levels: int) -> str:
    """An introspection query of that depth."""
    steps = ["__schema", "types", "fields", "type"] + ["ofType"] * (levels - 5) + ["name"]
    return "{" + "{".join(steps) + "}" * levels


def test_introspection_may_go_deeper():
    assert passes(get_introspection_query())
    assert [passes(about_types(levels)) for levels in (14, 15, 16)] == [True, True, False]
    assert not passes(about_types(11)[:-1] + " me{name}}")


def test_a_cycle_of_fragments_ends_and_is_left_to_the_standard_rules():
    assert passes("{...A} fragment A on Query{a ...B} fragment B on Query{b ...A}")


@pytest.mark.parametrize(("count", "fits"), [(249, True), (250, True), (251, False)])
def test_lists_in_variables_are_bounded(count, fits):
    def check() -> bool:
        try:
            limits.check_variables({"a": {"b": [1] * count}}, 10, NUMBERS)
        except LimitExceeded:
            return False
        return True

    assert check() is fits


@st.composite
def documents(draw):
    """A document of fragments that spread only later ones."""
    count = draw(st.integers(1, 5))

    def selection(later: int, depth: int) -> str:
        kinds = ["field", "alias", "inline"] + (["spread"] if later < count else []) + (["object"] if depth else [])
        parts = []
        for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)):
            if kind == "field":
                parts.append("a")
            elif kind == "alias":
                parts.append("b:a")
            elif kind == "spread":
                parts.append(f"...F{draw(st.integers(later, count - 1))}")
            elif kind == "inline":
                parts.append("...{a}")
            else:
                parts.append("o{" + selection(later, depth - 1) + "}")
        return " ".join(parts)

    spelt = [f"fragment F{at} on T{{{selection(at + 1, 2)}}}" for at in range(count)]
    return "{" + selection(0, 3) + "}" + " ".join(spelt)


def naive(selections, fragments) -> tuple[int, int, int, int]:
    """Nodes, aliases, spreads and depth by spelling every fragment out."""
    nodes = aliases = spreads = depth = 0
    for each in selections.selections:
        inner, own, deeper = getattr(each, "selection_set", None), (0, 0, 0), 0
        if each.kind == "field":
            own, deeper = (1, int(each.alias is not None), 0), 1
        elif each.kind == "fragment_spread":
            own, inner = (0, 0, 1), fragments[each.name.value].selection_set
        below = naive(inner, fragments) if inner else (0, 0, 0, 0)
        nodes, aliases, spreads = (a + b + c for a, b, c in zip((nodes, aliases, spreads), own, below[:3], strict=True))
        depth = max(depth, deeper + below[3])
    return nodes, aliases, spreads, depth


@given(documents())
def test_the_memoised_pre_pass_agrees_with_spelling_everything_out(text):
    document = parse(text)
    spelt = limits.fragments_of(document)
    sizes = naive(document.definitions[0].selection_set, spelt)
    loose = Limits(
        depth=99, aliases=10**9, spreads=10**9, nodes=10**9, repeats=10**9, root_fields=10**9, inline_fragments=10**9
    )
    limits.check(document, loose)
    for at, name in enumerate(("nodes", "aliases", "spreads", "depth")):
        exact = {**{key: getattr(loose, key) for key in loose.__slots__}, name: sizes[at]}
        assert passes(text, Limits(**exact))
        if sizes[at]:
            assert not passes(text, Limits(**{**exact, name: sizes[at] - 1}))


COSTED = build_schema("""
  type Query { one: Thing many: [Thing!]! page(first: Int = 10): Page! list(first: Int = 5): [Thing!]! word: String }
  type Thing { name: String one: Thing page(first: Int = 10): Page! }
  type Page { edges: [Edge!]! nodes: [Thing!]! count: Int! others: [Thing!]! }
  type Edge { node: Thing! }
""")


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("{word}", 0),
        ("{one{name}}", 1),
        ("{many{name}}", 1),
        ("{page{count}}", 1),
        ("{page{nodes{name}}}", 11),
        ("{page(first:3){nodes{name one{name}}}}", 7),
        ("{page(first:3){edges{node{name}}}}", 7),
        ("{page(first:3){others{name}}}", 2),
        ("{page(first:null){nodes{name}}}", 11),
        ("query($n:Int){page(first:$n){nodes{name}}}", 5),
        ("{list{name}}", 5),
        ("{list(first:2){page(first:3){nodes{name}}}}", 10),
        ("{page(first:3){...P}} fragment P on Page{nodes{...T}} fragment T on Thing{one{name}}", 7),
        ("{a:page(first:2){...P} b:page(first:3){...P}} fragment P on Page{nodes{name}}", 7),
    ],
)
def test_an_operation_costs_its_objects(query, points):
    document = parse(query)
    assert limits.cost(COSTED, document, document.definitions[0], {"n": 4}) == points


async def test_a_page_of_a_hundred_with_every_field_of_dataset_passes():
    world = World(rated=True)
    inner = "\n".join(
        f"{key}" if not hasattr(_named(field.type), "fields") else f"{key}{{{_scalars(_named(field.type))}}}"
        for key, field in SCHEMA.type_map["Dataset"].fields.items()
    )
    data = await world.ask(
        f"{{datasets(first:100){{totalCount edges{{cursor score highlights{{field}} node{{{inner}}}}}}}}}"
    )
    assert data["datasets"]["totalCount"] == len(data["datasets"]["edges"]) == 30


def _named(type_):
    while hasattr(type_, "of_type"):
        type_ = type_.of_type
    return type_


def _scalars(type_) -> str:
    return (
        " ".join(key for key, field in type_.fields.items() if not hasattr(_named(field.type), "fields"))
        or "__typename"
    )


async def test_an_operation_may_cost_up_to_its_limit():
    world = World(limits=Limits(cost=21))
    query = "query($n:Int!){datasets(first:$n){nodes{facility{key}}}}"
    assert (await world.ask(query, n=10))["datasets"]["nodes"]
    code, message = await world.refused(query, n=11)
    assert (code, "23 points" in message) == ("LIMIT_EXCEEDED", True)


def _document(length: int) -> str:
    return "{me{name}}".ljust(length, " ")


@pytest.mark.parametrize(("over", "code"), [(-1, None), (0, None), (1, "LIMIT_EXCEEDED")])
@pytest.mark.parametrize(
    ("limit", "made"),
    [
        (16_384, _document),
        (2_000, lambda count: _tokens(count)),
        (50, lambda count: "#\n" * count + "{me{name}}"),
    ],
    ids=["length", "tokens", "comments"],
)  # fmt: skip
async def test_the_text_of_a_document_is_bounded(limit, made, over, code):
    answer = (await World(viewer=ALICE).post(made(limit + over))).json()
    assert (answer["errors"][0]["extensions"]["code"] if "errors" in answer else None) == code


def _tokens(count: int) -> str:
    """A valid document of exactly that many lexical tokens: ten fields, each with a list of pids."""
    empty = [f"a{at}:datasets(filter:{{pid:[%s]}}){{totalCount}}" for at in range(10)]
    spare = count - len(list(_lexed("{" + " ".join(empty).replace("%s", "") + "}")))
    lists = [spare // 10 + (at < spare % 10) for at in range(10)]
    text = (
        "{" + " ".join(one % ("'' " * length).replace("'", '"') for one, length in zip(empty, lists, strict=True)) + "}"
    )
    assert len(list(_lexed(text))) == count
    return text


def _lexed(text: str):
    lexer = Lexer(Source(text))
    while lexer.advance().kind is not TokenKind.EOF:
        yield lexer.token

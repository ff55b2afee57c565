"""The people of the demo: three who do not exist, with passwords that everybody may know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in. `name` is the account, the OIDC `sub`, the `preferred_username` and the name at the hub."""

    name: str
    password: str
    given: str
    family: str
    role: str
    groups: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        """An address in a domain that RFC 2606 keeps for examples."""
        return f"{self.name}@example.org"


OPERATORS = "pangate-operators"

PEOPLE = (
    Person(
        "ada",
        "analytical",
        "Ada",
        "Example",
        "operator of the federation, staff of both facilities",
        (OPERATORS, "freya-staff", "skadi-staff"),
    ),
    Person(
        "bohr",
        "complementary",
        "Bohr",
        "Example",
        "scientist with two proposals at Freya and some at Skadi",
        ("freya-p-2026-014", "freya-p-2026-015"),
    ),
    Person("curie", "radioactive", "Curie", "Example", "scientist without groups, known at Skadi by name"),
)

"""This file is `python -m schema.crosswalks`: the tables of fields as a page, on standard output.

`python -m schema.crosswalks > docs/crosswalks.md` keeps the page current; a test says when it is not.
"""

from __future__ import annotations

import sys

from schema.crosswalks import icat_fields, scicat_fields
from schema.crosswalks.tables import Field, Table

_HEAD = """# Where every field goes

Made from the code by `python -m schema.crosswalks`; do not edit. What each source sends, field by field, with the place in our
record where it is found again, or the reason why it is not kept. `[]` means each member of a list, `*` any name.
"""
_TITLES = {"scicat": "SciCat (backend 4.x and 5.x, API v3)", "icat": "ICAT (icat.server 4.10 to 6.2)"}


def page() -> str:
    """The page in Markdown."""
    parts = [_HEAD]
    for tables in (scicat_fields.TABLES, icat_fields.TABLES):
        parts.append(f"\n## {_TITLES[tables[0].dialect]}\n")
        parts += [_section(table) for table in tables]
    return "".join(parts)


def _section(table: Table) -> str:
    becomes = f" → {table.kind.value}" if table.kind else " (becomes no record)"
    lines = "".join(_line(field) for field in table.fields)
    return f"\n### {table.entity}{becomes}\n\n| field | goes to | not kept, because |\n| --- | --- | --- |\n{lines}"


def _line(field: Field) -> str:
    return f"| `{field.path}` | {field.to} | {field.why} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())

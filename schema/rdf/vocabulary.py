"""This file is how words of facilities meet controlled vocabularies: access, licences, file types, relations.

Tables: EU authority tables access-right, licence, file-type, data-theme (Publications Office of the European Union).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from schema.access import Access
from schema.rdf.names import eu

THEME = eu("data-theme/TECH")
THEMES = eu("data-theme")
ENGLISH = eu("language/ENG")
NEXUS = "<https://www.nexusformat.org/>"

ACCESS = {
    Access.OPEN: eu("access-right/PUBLIC"),
    Access.EMBARGOED: eu("access-right/RESTRICTED"),
    Access.CLOSED: eu("access-right/NON_PUBLIC"),
    Access.METADATA_ONLY: eu("access-right/NON_PUBLIC"),
}
LABELS = {
    THEME: "Science and technology",
    eu("access-right/PUBLIC"): "public",
    eu("access-right/RESTRICTED"): "restricted",
    eu("access-right/NON_PUBLIC"): "non-public",
}
_FILE_TYPES = {
    "h5": "HDF",
    "hdf5": "HDF",
    "hdf": "HDF",
    "nxs": "HDF",
    "nx": "HDF",
    "nexus": "HDF",
    "nx5": "HDF",
    "nc": "NETCDF",
    "netcdf": "NETCDF",
    "csv": "CSV",
    "tsv": "TSV",
    "json": "JSON",
    "tif": "TIFF",
    "tiff": "TIFF",
    "zip": "ZIP",
    "tar": "TAR",
    "tgz": "TAR_GZ",
    "tar.gz": "TAR_GZ",
    "gz": "GZIP",
    "parquet": "PARQUET",
    "xml": "XML",
    "txt": "TXT",
    "dat": "TXT",
    "log": "TXT",
    "png": "PNG",
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "pdf": "PDF",
    "bin": "BIN",
    "raw": "BIN",
    "cbf": "OCTET",
    "edf": "OCTET",
    "spe": "OCTET",
}
FORMATS_KNOWN = frozenset(_FILE_TYPES)
_NEXUS = frozenset({"nxs", "nx", "nexus", "nx5"})
_PARTS = re.compile(r"[\s/,;]+")
_CC = re.compile(
    r"cc[ _-]?(0|by(?:[ _-]?(?:sa|nc|nd))*)(?:[ _-]?v?([1-4])(?:\.0)?)?(?:[ _-]?(?:universal|international))*", re.I
)
_CC_URL = re.compile(
    r"https?://creativecommons\.org/(?:licenses/([a-z-]+)/([1-4])\.0|publicdomain/(zero)/1\.0)/?.*", re.I
)


def licence(text: str | None) -> str | None:
    """The SPDX identifier of a Creative Commons licence as people write it (CC BY 4.0, CC-BY-4.0, its address); else None."""
    written = (text or "").strip()
    if found := _CC_URL.fullmatch(written):
        return "CC0-1.0" if found[3] else f"CC-{found[1].upper()}-{found[2]}.0"
    if found := _CC.fullmatch(written):
        parts = re.sub(r"[ _]", "-", found[1].upper())
        return "CC0-1.0" if parts == "0" else f"CC-{parts}-{found[2] or 4}.0"
    return None


def licence_address(text: str | None) -> str | None:
    """The address of a Creative Commons licence as its maker gives it."""
    spdx = licence(text)
    if spdx is None:
        return None
    if spdx == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    kind, _, version = spdx.removeprefix("CC-").rpartition("-")
    return f"https://creativecommons.org/licenses/{kind.lower()}/{version}/"


def file_type(formats: Iterable[str]) -> str | None:
    """The EU file type of the first format that has one, as a term."""
    known = (_FILE_TYPES.get(word) for word in _words(formats))
    return next((eu(f"file-type/{each}") for each in known if each), None)


def is_nexus(formats: Iterable[str]) -> bool:
    """Whether one of the formats is NeXus by its name."""
    return not _NEXUS.isdisjoint(_words(formats))


def _words(formats: Iterable[str]) -> list[str]:
    """Endings and names in what sources call formats: ".nxs", "HDF5 / NeXus"."""
    return [word for each in formats for word in _PARTS.split(each.strip().lower().lstrip(".")) if word]

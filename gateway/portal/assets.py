"""This file is styles and scripts: served from memory under names that change with their content, so that browsers keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from schema.errors import NotFound

_FOLDER = Path(__file__).with_name("static")
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_YEAR = "public, max-age=31536000, immutable"

_FILES = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA}
_VERSION = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:10]


def address(name: str) -> str:
    """The address of a file; modules import each other relatively, so all share one version."""
    return f"/static/{_VERSION}/{name}"


def size() -> int:
    """Bytes of all styles and scripts."""
    return sum(len(content) for name, content in _FILES.items() if name.endswith((".css", ".js")))


async def serve(request: Request) -> Response:
    """/static/<version>/<name>. Raises NotFound."""
    name = request.path_params["name"]
    if name not in _FILES:
        raise NotFound("There is nothing at this address.")
    current = request.path_params["version"] == _VERSION
    kept = {"Cache-Control": _YEAR if current else "no-cache"}
    return Response(_FILES[name], headers=kept, media_type=_MEDIA[Path(name).suffix])

"""The register of routes: method and path to endpoint, one line each."""

from demo.scicat import datasets, dress, fourth, others, signing, visibility
from demo.scicat.asking import Endpoint
from demo.scicat.releases import Release

V3 = "/api/v3"
V4 = "/api/v4"
_RECORDS = visibility.of_records
_PUBLISHED = visibility.of_published
_NO_PUBLISHED = "No Published Data with doi {} exists."


Row = tuple[str, str, Endpoint]

_COMMON: tuple[Row, ...] = (
    ("POST", f"{V3}/auth/login", signing.login),
    ("GET", f"{V3}/auth/whoami", signing.whoami),
    ("POST", f"{V3}/users/login", signing.old_login),
    ("POST", f"{V3}/users/jwt", signing.renewed),
    ("GET", f"{V3}/users/my/self", signing.myself),
    ("GET", f"{V3}/health", signing.health),
    ("GET", "/explorer-json", signing.explorer),
    ("GET", f"{V3}/datasets", datasets.many),
    ("GET", f"{V3}/datasets/count", datasets.count),
    ("GET", f"{V3}/datasets/findone", datasets.first),
    ("GET", f"{V3}/datasets/fullquery", datasets.fullquery),
    ("GET", f"{V3}/datasets/fullfacet", datasets.fullfacet),
    ("GET", f"{V3}/datasets/{{pid}}", datasets.one),
    ("GET", f"{V3}/datasets/{{pid}}/origdatablocks", datasets.origdatablocks),
    ("GET", f"{V3}/datasets/{{pid}}/datablocks", datasets.datablocks),
    ("GET", f"{V3}/datasets/{{pid}}/attachments", datasets.attachments),
    ("GET", f"{V3}/datasets/{{pid}}/thumbnail", datasets.thumbnail),
    ("GET", f"{V3}/origdatablocks", others.blocks("OrigDatablock")),
    ("GET", f"{V3}/datablocks", others.blocks("Datablock")),
    ("GET", f"{V3}/instruments", others.many("Instrument", dress.with_id, others.everything)),
    ("GET", f"{V3}/instruments/count", others.count("Instrument", others.everything)),
    ("GET", f"{V3}/instruments/{{pid}}", others.one("Instrument", dress.with_id, others.everything)),
    ("GET", f"{V3}/proposals", others.many("Proposal", dress.proposal, _RECORDS)),
    ("GET", f"{V3}/proposals/count", others.count("Proposal", _RECORDS)),
    ("GET", f"{V3}/proposals/{{pid}}", others.one("Proposal", dress.proposal, _RECORDS, "proposal: {} not found")),
    ("GET", f"{V3}/samples", others.many("Sample", dress.sample, _RECORDS)),
    ("GET", f"{V3}/samples/count", others.count("Sample", _RECORDS)),
    ("GET", f"{V3}/samples/{{pid}}", others.one("Sample", dress.sample, _RECORDS, "sample: {} not found")),
    ("GET", f"{V3}/publisheddata", others.many("PublishedData", dress.published_v3, _PUBLISHED)),
    ("GET", f"{V3}/publisheddata/count", others.count("PublishedData", _PUBLISHED)),
    (
        "GET",
        f"{V3}/publisheddata/{{pid}}",
        others.one("PublishedData", dress.published_v3, _PUBLISHED, _NO_PUBLISHED),
    ),
    ("GET", f"{V3}/policies", others.closed),
    ("GET", f"{V3}/jobs", others.closed),
    ("GET", f"{V3}/logbooks", others.closed),
    ("GET", f"{V4}/datasets", fourth.datasets(public=False)),
    ("GET", f"{V4}/datasets/count", fourth.count(public=False)),
    ("GET", f"{V4}/datasets/public", fourth.datasets(public=True)),
    ("GET", f"{V4}/datasets/public/count", fourth.count(public=True)),
    ("GET", f"{V4}/datasets/public/{{pid}}", fourth.dataset(public=True)),
    ("GET", f"{V4}/datasets/{{pid}}", fourth.dataset(public=False)),
)
_MODERN: tuple[Row, ...] = (
    ("GET", f"{V3}/history", others.history),
    ("GET", f"{V4}/publisheddata", fourth.published(_PUBLISHED)),
)


def routes(release: Release) -> tuple[Row, ...]:
    """Method, path and endpoint; more special paths first."""
    return _COMMON + (_MODERN if release.modern else ())

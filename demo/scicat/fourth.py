"""The v4 routes that were recorded: dates are not cast in lists, unknown names are refused, ten by default."""

from collections.abc import Callable

from demo.scicat import dress, reading, visibility
from demo.scicat.accounts import Caller
from demo.scicat.asking import Asked, Endpoint, Reply, listed, nothing, said
from demo.scicat.engine import Page
from demo.scicat.filters import cast_by_schema, parse
from demo.scicat.refusals import refused
from demo.scicat.values import Doc

_TOP = frozenset({"where", "fields", "include", "limits"})
_LIMITS = frozenset({"limit", "skip", "sort"})
_NAMES = """
_id pid type datasetName description comment classification license version validationStatus dataFormat runNumber
creationLocation owner ownerEmail orcidOfOwner contactEmail principalInvestigators ownerGroup instrumentGroup
accessGroups sharedWith isPublished sourceFolder sourceFolderHost size packedSize numberOfFiles numberOfFilesArchived
creationTime startTime endTime createdAt updatedAt createdBy updatedBy keywords inputDatasets usedSoftware proposalIds
sampleIds instrumentIds techniques relationships datasetlifecycle scientificMetadata scientificMetadataSchema
scientificMetadataValid dataQualityMetrics jobParameters jobLogData
"""
_PROPERTIES = frozenset(_NAMES.split())


def datasets(public: bool) -> Endpoint:
    """GET /datasets (with a login) and /datasets/public."""

    def endpoint(asked: Asked) -> Reply:
        allowed = _allowed(asked, public)
        asked_for = _checked(asked)
        docs = reading.found(
            asked, "Dataset", asked_for.get("where") or {}, allowed, _page(asked_for.get("limits") or {})
        )
        return listed([reading.keep(asked.store, "v4", doc, dress.raw) for doc in docs], asked.store)

    return endpoint


def count(public: bool) -> Endpoint:
    """GET /datasets/count: here dates are cast."""

    def endpoint(asked: Asked) -> Reply:
        allowed = _allowed(asked, public)
        return said(
            {"count": reading.counted(asked, "Dataset", cast_by_schema(_checked(asked).get("where") or {}), allowed)}
        )

    return endpoint


def dataset(public: bool) -> Endpoint:
    """GET /datasets/{pid}: null in the message of a 404; the public one answers 200 without a body instead."""

    def endpoint(asked: Asked) -> Reply:
        allowed, store, pid = _allowed(asked, public), asked.store, asked.path["pid"]
        with store.locked():
            doc = store.engine.get("Dataset", pid)
            visible = doc is not None and visibility.may_see(store.engine, "Dataset", pid, allowed)
        if doc is not None and visible:
            return said(dress.raw(doc))
        if public:
            return nothing()
        raise refused(404, "dataset: null not found") if doc is None else refused(403, "Unauthorized access")

    return endpoint


def published(rule: Callable[[Caller], Doc]) -> Endpoint:
    """GET /publisheddata."""

    def endpoint(asked: Asked) -> Reply:
        wanted = parse(asked.filter() or "", asked.store.release)
        page = _page(wanted.get("limits") or parse(asked.query.get("limits"), asked.store.release), None, 100)
        docs = reading.found(
            asked, "PublishedData", cast_by_schema(wanted.get("where") or {}), rule(asked.caller), page
        )
        return said([dress.published_v4(doc) for doc in docs])

    return endpoint


def _allowed(asked: Asked, public: bool) -> Doc:
    if public:
        return {"isPublished": True}
    if asked.caller.account is None:
        raise refused(403, "Unauthorized access" if asked.store.release.modern else "Forbidden resource")
    return visibility.of_records(asked.caller)


def _checked(asked: Asked) -> Doc:
    """The filter, every name in it known. Raises Refused."""
    wanted: Doc = parse(asked.filter(), asked.store.release)
    for name in wanted:
        _known(name, name, _TOP)
    for name in wanted.get("limits") or {}:
        _known(name, f"limits.{name}", _LIMITS)
    for name in wanted.get("where") or {}:
        if not name.startswith("$"):
            _known(name.partition(".")[0], f"where.{name}", _PROPERTIES)
    return wanted


def _known(name: str, path: str, names: frozenset[str]) -> None:
    if name not in names:
        raise refused(400, f"Property {path} should not exist in the filter object")


def _page(limits: Doc, order: tuple[str, int] | None = ("createdAt", -1), limit: int = 10) -> Page:
    for field, direction in (limits.get("sort") or {}).items():
        order = (field, -1 if direction == "desc" else 1)
        break
    return Page(order, int(limits.get("skip", 0)), int(limits.get("limit", limit)))

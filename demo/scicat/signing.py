"""The routes of signing in, and the few that tell about the server itself."""

from demo.scicat import accounts
from demo.scicat.asking import Asked, Reply, nothing, said
from demo.scicat.refusals import unauthorized
from demo.scicat.values import Doc, iso


def login(asked: Asked) -> Reply:
    """POST /auth/login: 201 with a token, or 401."""
    store = asked.store
    body = asked.body if isinstance(asked.body, dict) else {}
    account = store.login(body.get("username"), body.get("password"))
    if account is None:
        raise unauthorized()
    token = store.token(account.username)
    user = {"_id": account.id, "username": account.username, "email": account.email, "authStrategy": "local", "__v": 0}
    ends = {"expires_in": store.ttl, "ttl": store.ttl, "created": iso(store.now()), "userId": account.id}
    return said({"access_token": token, "id": token, **ends, "user": {**user, "id": account.id}}, 201)


def old_login(_asked: Asked) -> Reply:
    """POST /users/login: 201 and nothing else."""
    return nothing(201)


def renewed(asked: Asked) -> Reply:
    """POST /users/jwt: a new token for who has one."""
    return said({"jwt": asked.store.token(_account(asked).username)}, 201)


def whoami(asked: Asked) -> Reply:
    """GET /auth/whoami."""
    account = _account(asked)
    return said({**_user(account), "currentGroups": list(account.groups), "authStrategy": "local"})


def myself(asked: Asked) -> Reply:
    """GET /users/my/self."""
    account = _account(asked)
    return said({**_user(account), "authStrategy": "local", "__v": 0, "id": account.id})


def health(_asked: Asked) -> Reply:
    """GET /health."""
    up = {"mongodb": {"status": "up"}}
    return said({"status": "ok", "info": up, "error": {}, "details": up})


def explorer(asked: Asked) -> Reply:
    """GET /explorer-json: the head of the OpenAPI document; 5.x names published data's v4 schema, 4.25 does not."""
    title = {"title": "SciCat backend API", "description": "This is the API for the SciCat Backend"}
    paths: Doc = {
        f"/api/v3/{name}": {"get": {"tags": [name]}} for name in ("datasets", "instruments", "proposals", "samples")
    }
    if asked.store.release.modern:
        paths["/api/v3/history"] = {"get": {"tags": ["history"]}}
        paths["/api/v4/publisheddata"] = {"get": {"tags": ["published data v4"]}}
    info = {**title, "version": "api/v3", "contact": {}}
    return said({"openapi": "3.0.0", "paths": paths, "info": info, "tags": [], "servers": [], "components": {}})


def _account(asked: Asked) -> accounts.Account:
    if asked.caller.account is None:
        raise unauthorized()
    return asked.caller.account


def _user(account: accounts.Account) -> Doc:
    return {"_id": account.id, "username": account.username, "email": account.email}

"""This file is one-time tickets: random, kept by their SHA-256 alone, used up by the statement that reads them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Connection, delete, insert

from catalogue.tables import tickets


def issue(connection: Connection, launch: str, principal: str, session: str, expires: datetime) -> str:
    """A new ticket of 256 random bits for one person in one session."""
    ticket = secrets.token_urlsafe(32)
    row = {"hash": hashed(ticket), "launch": launch, "principal": principal, "session": session, "expires": expires}
    connection.execute(insert(tickets).values(row))
    return ticket


def redeem(connection: Connection, ticket: str, principal: str, session: str, now: datetime) -> str | None:
    """The launch of a ticket, which is gone then; None when it is unknown, used, expired or another's (who does not use it up)."""
    own = (tickets.c.hash == hashed(ticket), tickets.c.principal == principal, tickets.c.session == session)
    statement = delete(tickets).where(*own, tickets.c.expires > now).returning(tickets.c.launch)
    launch = connection.execute(statement).scalar_one_or_none()
    return None if launch is None else str(launch)


def hashed(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()

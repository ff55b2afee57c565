"""This file is which network addresses and URLs a harvest or trigger may be sent to (reliability reference, section 3.2).

Pure: names are resolved elsewhere; what they resolved to is judged here.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from schema.errors import BadInput

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_NUMERIC_HOST = re.compile(r"^(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,3}$", re.IGNORECASE)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def embedded(address: Address) -> list[Address]:
    """The address and every IPv4 address carried inside it (mapped, NAT64, 6to4, Teredo)."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            found.append(address.ipv4_mapped)
        if address.sixtofour is not None:
            found.append(address.sixtofour)
        if address.teredo is not None:
            found.extend(address.teredo)
        if address in _NAT64 or address in _NAT64_LOCAL:
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return found


def is_public(text: str) -> bool:
    """Whether an address literal, as a resolver gave it, is global unicast in every address it carries."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast and not each.is_reserved for each in embedded(address))


def is_loopback_or_private(text: str) -> bool:
    """Whether an address is loopback or of a private range: permitted where the federation file says so, never by itself.

    Link-local addresses (the cloud metadata address among them), multicast and the unspecified address are neither.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(
        (each.is_loopback or each.is_private) and not (each.is_link_local or each.is_multicast or each.is_unspecified)
        for each in embedded(address)[-1:]
    )


def permitted(text: str, *, private: bool) -> bool:
    """Whether a connection to that address may be opened."""
    return is_public(text) or (private and is_loopback_or_private(text))


def checked_url(url: str, *, private: bool) -> SplitResult:
    """The parts of a URL that may be asked: https (http where private addresses are allowed), a plain host, no user name,
    no fragment, no odd numeric host, no empty port.

    Raises BadInput saying what is wrong with it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"The address {url[:200]!r} cannot be read: {error}.") from None
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise BadInput(f"The address {url[:200]!r} must begin with https://.")
    host = parts.hostname or ""
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput(f"The address {url[:200]!r} must name a host and hold neither a user name nor a fragment.")
    if parts.netloc.endswith(":") or port == 0:
        raise BadInput(f"The address {url[:200]!r} has an empty or impossible port.")
    if _NUMERIC_HOST.match(host) and not _is_dotted_quad(host):
        raise BadInput(f"The host of {url[:200]!r} is a number in an unusual form; write it as a plain name.")
    if not host.isascii():
        raise BadInput(f"The host of {url[:200]!r} holds characters outside ASCII; write its xn-- form.")
    return parts


def _is_dotted_quad(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False

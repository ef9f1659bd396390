"""Addresses that we were given and are about to call: a private one would let an outsider reach inside."""

import asyncio
import ipaddress
import socket


class PrivateAddress(Exception):
    """The host is not on the public internet (loopback, private, link-local or metadata address)."""


class NoAddress(Exception):
    """The host's name leads nowhere."""


async def public_address(host: str) -> str:
    """Return an address of a host on the public internet. Raises `PrivateAddress` or `NoAddress`.

    The caller must connect to this very address: asked once more, the name may lead inside (DNS rebinding). A host of
    which any address is private is refused. IPv4 is preferred, since not every place that we run in has IPv6.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoAddress("The name of the CRM's host leads nowhere.") from None
    addresses = [ipaddress.ip_address(address[4][0]) for address in found]
    if not all(_is_public(address) for address in addresses):
        raise PrivateAddress(
            "The CRM's address is a private one; LEADLINE_ALLOW_PRIVATE_CRM=1 allows it on one machine."
        )
    return str(min(addresses, key=lambda address: address.version))


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses behind which a network's own gateway reaches an IPv4 address (RFC 6052)."""

_NEVER = tuple(map(ipaddress.ip_network, ("::/96", "64:ff9b:1::/48")))
"""An IPv4 address written as IPv6 that nobody has any more (RFC 4291), and gateways inside a network (RFC 8215)."""


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if address.version == 6:
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
        if any(address in never for never in _NEVER):
            return False
    return address.is_global and not address.is_multicast

"""Addresses that we were given and are about to call: a private one would let an outsider reach inside."""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit


class PrivateAddress(Exception):
    """The host is not on the public internet (loopback, private, link-local or metadata address)."""


async def refuse_private(url: str) -> None:
    """Raise `PrivateAddress` when any address of the URL's host is not a public one; a host without any passes.

    A host that can't be resolved can't be called either, and the call itself says so better.
    """
    host = urlsplit(url).hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return
    if any(not ipaddress.ip_address(address[4][0]).is_global for address in found):
        raise PrivateAddress(
            "the CRM's address is a private one; LEADLINE_ALLOW_PRIVATE_CRM=1 allows it on one machine"
        )

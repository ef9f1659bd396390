import socket

import pytest

from functions.core.addresses import NoAddress, PrivateAddress, public_address

PRIVATE = [
    "127.0.0.1",
    "localhost",
    "10.0.0.1",
    "192.168.1.10",
    "172.16.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "fd00::1",
    "fe80::1",
    "::ffff:127.0.0.1",
    "2130706433",
    "127.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "224.0.0.1",
]


@pytest.mark.parametrize("host", PRIVATE)
async def test_an_address_inside_is_refused_however_it_is_written(host):
    with pytest.raises(PrivateAddress, match="LEADLINE_ALLOW_PRIVATE_CRM"):
        await public_address(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888"])
async def test_a_public_address_is_itself(host):
    assert await public_address(host) == host


def resolving_to(monkeypatch, *addresses):
    def getaddrinfo(host, port, *more, **named):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def test_a_name_that_leads_inside_with_one_of_its_addresses_is_refused(monkeypatch):
    resolving_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(PrivateAddress):
        await public_address("crm.example.com")


async def test_an_address_that_can_be_called_from_everywhere_is_preferred(monkeypatch):
    resolving_to(monkeypatch, "2001:4860:4860::8888", "8.8.8.8")
    assert await public_address("crm.example.com") == "8.8.8.8"


@pytest.mark.parametrize("error", [socket.gaierror, UnicodeError])
async def test_a_name_that_leads_nowhere_is_said_to(monkeypatch, error):
    def nowhere(*arguments, **named):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(NoAddress):
        await public_address("crm.example.com")

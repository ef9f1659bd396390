import socket

import pytest

from functions.core.addresses import PrivateAddress, refuse_private

PRIVATE = [
    "http://127.0.0.1:8069",
    "http://localhost:8069",
    "http://10.0.0.1",
    "http://192.168.1.10",
    "http://172.16.0.1",
    "http://169.254.169.254/computeMetadata/v1/",
    "http://100.64.0.1",
    "http://0.0.0.0",
    "http://[::1]",
    "http://[fd00::1]",
    "http://[fe80::1]",
    "http://[::ffff:127.0.0.1]",
    "http://2130706433",
    "http://127.1",
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_an_address_inside_is_refused_however_it_is_written(url):
    with pytest.raises(PrivateAddress, match="LEADLINE_ALLOW_PRIVATE_CRM"):
        await refuse_private(url)


@pytest.mark.parametrize("url", ["https://8.8.8.8", "https://[2001:4860:4860::8888]/odoo"])
async def test_a_public_address_passes(url):
    await refuse_private(url)


def resolving_to(monkeypatch, *addresses):
    def getaddrinfo(host, port, *more, **named):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def test_a_name_that_leads_inside_with_one_of_its_addresses_is_refused(monkeypatch):
    resolving_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(PrivateAddress):
        await refuse_private("https://crm.example.com")


async def test_a_name_that_leads_nowhere_is_left_to_the_call_itself(monkeypatch):
    def nowhere(*arguments, **named):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    await refuse_private("https://crm.example.com")

"""From an Odoo that knows nothing to a working chat, through the real wizard, and back."""

import io
import time
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser

from functions.local.odoo.install import OdooHome
from tests.fresh_odoo import NOWHERE, Unpaired, Wizard, unpaired
from tests.google.parts import MissingPart, require
from tests.open_line import Card, browser, chromium_path, open_context

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def both(odoo: OdooHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpaired]:
    with unpaired(odoo, tmp_path_factory.mktemp("pairing")) as both:
        yield both


def _chromium() -> None:
    if chromium_path() is None:
        raise MissingPart("Chromium is missing. Debian and Ubuntu: apt-get install chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    require(_chromium)
    with browser() as chromium:
        yield chromium


@pytest.fixture
def wizard(both: Unpaired, chromium: Browser) -> Wizard:
    context = open_context(chromium, viewport={"width": 1300, "height": 900})
    # The first page makes Odoo build its bundles.
    context.set_default_timeout(150_000)
    page = context.new_page()
    Card(page, both.line).log_in("admin", "admin")
    return Wizard(page, both.line).open()


def until(both: Unpaired, query: str, expected: list[str]) -> None:
    """Wait until Odoo's database answers so."""
    deadline = time.monotonic() + 90
    while (found := both.sql(query)) != expected:
        assert time.monotonic() < deadline, f"{query}: {found}"
        time.sleep(0.2)


def test_a_code_that_is_wrong_is_said_to_be(both: Unpaired, wizard: Wizard) -> None:
    url, _ = both.code()
    wizard.pair(url, "AAAA-AAAA-AAAA")
    wizard.page.get_by_text("does not know this code").wait_for()
    assert both.sql("SELECT id FROM leadline_connection") == []


def test_pairing_shows_every_link_and_the_first_message(both: Unpaired, wizard: Wizard) -> None:
    # The service had met somebody before Odoo was there.
    wizard.pair(*both.code(), both.line.odoo)
    for link in ("service", "odoo", "browser", "lines"):
        wizard.link(link, "ok").wait_for()
    until(both, "SELECT count(*) FROM leadline_conversation", ["1"])
    assert _read(wizard.page.locator(".o_leadline_chain_test img").screenshot()).endswith("/15550100001?text=Hello%21")
    both.write("447700900123", "Grace Hill", "Hello!")
    wizard.link("message", "ok").wait_for()
    wizard.page.get_by_role("button", name="Answer").click()
    wizard.page.get_by_role("tab", name="WhatsApp").click()
    card = Card(wizard.page, both.line)
    card.bubble("Hello!").wait_for()
    card.write("Good morning Grace")
    card.bubble("Good morning Grace").locator("[data-status=delivered], [data-status=read]").first.wait_for()
    assert both.sql("SELECT way FROM leadline_connection") == ["pushed"]


def _read(picture: bytes) -> str:
    """Read a QR code as a phone does."""
    [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)), formats=zxingcpp.BarcodeFormat.QRCode)
    return str(code.text)


def test_where_odoo_cannot_be_reached_it_says_so_and_fetches(both: Unpaired, wizard: Wizard) -> None:
    wizard.pair(*both.code(), NOWHERE)
    wizard.link("odoo", "warn").wait_for()
    wizard.page.get_by_text("refuses the service's connection").wait_for()
    both.write("447700900124", "Alan Reed", "Anybody there?")
    wizard.link("message", "ok").wait_for()
    wizard.page.get_by_text("Alan Reed").wait_for()
    assert both.sql("SELECT way FROM leadline_connection") == ["pulled"]
    assert "pulled (" in both.leadline("connect", "list")
    # Nobody watches any more, and it goes on: a minute at most.
    wizard.page.close()
    both.write("447700900125", "Rosa Diaz", "Me too")
    until(both, "SELECT count(*) FROM crm_lead WHERE contact_name = 'Rosa Diaz'", ["1"])


def test_unpairing_leaves_the_leads_and_nothing_of_the_service(both: Unpaired, wizard: Wizard) -> None:
    leads = both.sql("SELECT count(*) FROM crm_lead")
    page = wizard.page
    page.goto(f"{both.line.odoo}/odoo/action-leadline.leadline_connection_action")
    page.locator(".o_data_row .o_data_cell").first.click()
    page.locator("button[name=action_unpair]").click()
    page.locator(".modal-footer .btn-primary").click()
    until(both, "SELECT count(*) FROM leadline_connection", ["0"])
    assert both.sql("SELECT count(*) FROM leadline_conversation") == ["0"]
    assert both.sql("SELECT count(*) FROM crm_lead") == leads
    assert "not paired" in both.leadline("connect", "list")

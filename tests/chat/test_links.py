"""Links: made by a CRM server, clicked by anybody, leading to WhatsApp and nowhere else."""

import io
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import zxingcpp
from httpx import Response
from PIL import Image, ImageFilter

from functions.core.reference import references_in
from functions.core.store import Key, create
from tests.rig import CONNECTION, LINE, Rig

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"
HOSTILE = '"><script>ran()</script><img src=x onerror=ran()>javascript:ran()\r\nSet-Cookie: a=b\u202e\u200b'
AWKWARD = "50% off & more? #1 + 2 = 3\nLine two “quoted” 👩‍👩‍👧 مرحبا <b>"


async def made(rig: Rig, **stated: Any) -> dict[str, Any]:
    answer = await rig.call("POST", "/v1/links", {"line": LINE, "text": "Hello, I saw your poster.", **stated})
    assert answer.status_code == 201, answer.text
    link: dict[str, Any] = answer.json()
    return link


async def click(rig: Rig, link: dict[str, Any], agent: str = PHONE, *, address: str = "", **more: str) -> Response:
    path = urlsplit(link["short"]).path.removeprefix("/chat")
    headers = {"User-Agent": agent, "X-Forwarded-For": f"spoofed, {address}"}
    return await rig.chat.get(path, params=more or None, headers=headers)


async def clicks(rig: Rig, link: dict[str, Any]) -> int:
    answer = await rig.call("GET", f"/v1/links/{link['id']}")
    return int(answer.json()["clicks"])


def text_of(address: str) -> str:
    """Return the text that WhatsApp shows: a plus stays a plus there."""
    return unquote(urlsplit(address).query.removeprefix("text="))


async def test_a_link_leads_to_the_lines_chat_with_its_text_and_reference(rig: Rig) -> None:
    link = await made(rig, label="Spring poster", source="Poster", campaign="Spring")

    answer = await click(rig, link)

    assert answer.status_code == 302
    assert answer.headers["location"] == link["url"]
    assert link["url"].startswith("https://wa.me/15550100001?text=")
    assert text_of(link["url"]).startswith("Hello, I saw your poster. (")
    assert references_in(text_of(link["url"])) == [link["reference"]]
    assert (link["label"], link["source"], link["campaign"]) == ("Spring poster", "Poster", "Spring")


async def test_every_character_of_the_text_arrives(rig: Rig) -> None:
    link = await made(rig, text=AWKWARD)

    assert text_of(link["url"]).startswith(AWKWARD)
    assert "+" not in link["url"]
    assert " " not in link["url"]


async def test_a_page_fills_in_what_the_text_leaves_open(rig: Rig) -> None:
    link = await made(rig, text="Hello, I read {{page}}.")

    answer = await click(rig, link, page="Blue & red bikes")

    assert text_of(answer.headers["location"]).startswith("Hello, I read Blue & red bikes. (")


async def test_a_persons_clicks_are_counted_by_day(rig: Rig) -> None:
    link = await made(rig)
    await click(rig, link)
    await click(rig, link)
    rig.clock.forward(days=1)
    await click(rig, link)

    counted = (await rig.call("GET", f"/v1/links/{link['id']}")).json()

    assert counted["clicks"] == 3
    assert sorted(counted["days"].values()) == [1, 2]


async def test_clicks_of_years_are_all_counted(rig: Rig) -> None:
    link = await made(rig)
    for first in range(0, 900, 300):
        days = [f"{2020 + day // 365}-{day % 365:03}" for day in range(first, first + 300)]
        counters = ({"link": link["id"], "day": day, "count": 2} for day in days)
        await rig.store.commit([create(Key("clicks", f"clicks{one['day']}"), one) for one in counters])

    assert await clicks(rig, link) == 1800


@pytest.mark.parametrize(
    "agent",
    [
        "WhatsApp/2.23.20.0 A",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "TelegramBot (like TwitterBot)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "curl/8.10.1",
        "",
    ],
)
async def test_bots_and_link_previews_are_led_on_but_are_no_people(rig: Rig, agent: str) -> None:
    link = await made(rig)

    assert (await click(rig, link, agent)).status_code == 302
    assert await clicks(rig, link) == 0


async def test_a_look_ahead_is_no_click(rig: Rig) -> None:
    link = await made(rig)
    path = urlsplit(link["short"]).path.removeprefix("/chat")

    await rig.chat.get(path, headers={"User-Agent": PHONE, "Sec-Purpose": "prefetch;prerender"})
    await rig.chat.head(path, headers={"User-Agent": PHONE})

    assert await clicks(rig, link) == 0


async def test_a_link_that_has_run_out_still_leads_to_the_business(rig: Rig) -> None:
    link = await made(rig, expires=(rig.clock() + timedelta(days=1)).isoformat())
    rig.clock.forward(days=2)

    answer = await click(rig, link)

    assert answer.headers["location"] == "https://wa.me/15550100001?text="
    assert await clicks(rig, link) == 0


async def test_an_unknown_slug_leads_nowhere(rig: Rig) -> None:
    answer = await rig.chat.get("/v1/l/nosuchlink", headers={"User-Agent": PHONE})

    assert answer.status_code == 404


async def test_whoever_tries_slugs_out_is_slowed_down_and_nobody_else_is(rig: Rig) -> None:
    link = await made(rig)
    for number in range(60):
        await click(rig, {"short": f"{link['short'][:-1]}{number}"}, address="192.0.2.1")

    assert (await click(rig, link, address="192.0.2.1")).status_code == 429
    assert (await click(rig, link, address="192.0.2.2")).status_code == 302


async def test_nothing_of_who_clicked_is_kept(rig: Rig) -> None:
    link = await made(rig)
    await click(rig, link, address="192.0.2.77")

    [counter] = rig.documents("clicks")

    assert set(counter) == {"account", "link", "day", "count", "updated"}
    assert "192.0.2.77" not in str(counter)


async def test_a_slug_of_ones_own_is_taken_once(rig: Rig) -> None:
    first = await made(rig, slug="spring")
    answer = await rig.call("POST", "/v1/links", {"line": LINE, "slug": "spring"})

    assert first["short"].endswith("/l/spring")
    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")


async def test_what_is_said_of_a_link_can_change_and_what_is_printed_stays(rig: Rig) -> None:
    link = await made(rig, label="Spring", source="Poster")

    answer = await rig.call("PUT", f"/v1/links/{link['id']}", {"text": "Hi!", "label": "Summer"})

    changed = answer.json()
    assert (changed["label"], changed["source"]) == ("Summer", None)
    assert (changed["short"], changed["reference"]) == (link["short"], link["reference"])
    assert text_of((await click(rig, link)).headers["location"]).startswith("Hi! (")


async def test_links_are_listed_newest_first_with_their_clicks_page_by_page(rig: Rig) -> None:
    links = [await made(rig, label=f"Link {number}") for number in range(3)]
    await click(rig, links[1])

    first = (await rig.call("GET", "/v1/links?limit=2")).json()
    second = (await rig.call("GET", f"/v1/links?limit=2&after={first['next']}")).json()

    assert [one["label"] for one in [*first["items"], *second["items"]]] == ["Link 2", "Link 1", "Link 0"]
    assert [one["clicks"] for one in first["items"]] == [0, 1]
    assert second["next"] is None


async def test_a_link_is_for_its_own_connection_and_for_servers(rig: Rig) -> None:
    link = await made(rig)
    await rig.add_connection("other")
    tab = rig.tab("conversation")

    assert (await rig.call("GET", f"/v1/links/{link['id']}", connection="other")).status_code == 404
    assert (await rig.call("POST", "/v1/links", {"line": LINE}, connection="other")).status_code == 404
    assert (await tab.get("/v1/links")).status_code == 403
    assert CONNECTION != "other"


@pytest.mark.parametrize("kind", ["svg", "png"])
async def test_a_code_names_the_short_link(rig: Rig, kind: str) -> None:
    link = await made(rig)

    answer = await rig.chat.get(urlsplit(link["qr"][kind]).path.removeprefix("/chat"), params={"colour": "#1a7f4b"})

    assert answer.status_code == 200
    if kind == "png":
        assert read(Image.open(io.BytesIO(answer.content))) == link["short"]
    else:
        assert b"#1a7f4b" in answer.content
        assert b"<script" not in answer.content


async def test_a_code_is_drawn_of_nothing_but_the_short_link(rig: Rig) -> None:
    named = dict.fromkeys(("label", "source", "medium", "campaign", "team", "tag"), HOSTILE[:60])
    link = await made(rig, text=HOSTILE, owner={"id": "2", "name": HOSTILE[:60]}, **named)
    path = urlsplit(link["qr"]["svg"]).path.removeprefix("/chat")

    answer = await rig.chat.get(path, params={"page": HOSTILE, "title": HOSTILE, "scale": "4"})

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    drawing = ElementTree.fromstring(answer.content)
    assert {element.tag.rpartition("}")[2] for element in drawing.iter()} == {"svg", "g", "path"}
    assert not "".join(drawing.itertext()).strip()
    said = {(name, value) for element in drawing.iter() for name, value in element.attrib.items()}
    assert {name for name, _ in said} == {"width", "height", "class", "transform", "d", "stroke", "fill"}
    assert not any(letter in value for _, value in said for letter in "<>:;&\"'\r\n")
    for wrong in ({"colour": HOSTILE}, {"colour": "#000000\n"}, {"scale": HOSTILE}):
        refused = await rig.chat.get(path, params=wrong)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")


async def test_whatever_a_page_fills_in_leads_to_whatsapp_alone(rig: Rig) -> None:
    link = await made(rig, text="I read {{page}}")

    answer = await click(rig, link, page=HOSTILE)

    assert answer.headers["location"].startswith("https://wa.me/15550100001?text=I%20read%20")
    assert not set(answer.headers["location"]) & set("<>\"'\r\n ")
    assert "set-cookie" not in answer.headers
    assert text_of(answer.headers["location"]).startswith(f"I read {HOSTILE[:100]} (")


@pytest.mark.parametrize("blur", [0, 1, 2])
async def test_a_code_of_two_centimetres_in_print_is_read_by_a_camera(rig: Rig, blur: int) -> None:
    """2 cm at 300 dpi are 236 dots; a camera's picture of them is smaller and out of focus."""
    link = await made(rig)
    answer = await rig.chat.get(urlsplit(link["qr"]["png"]).path.removeprefix("/chat"), params={"colour": "#1a7f4b"})

    printed = Image.open(io.BytesIO(answer.content)).convert("RGB").resize((236, 236), Image.Resampling.LANCZOS)

    assert read(printed.filter(ImageFilter.GaussianBlur(blur))) == link["short"]


async def test_a_code_too_pale_for_a_camera_is_refused(rig: Rig) -> None:
    link = await made(rig)

    answer = await rig.chat.get(urlsplit(link["qr"]["svg"]).path.removeprefix("/chat"), params={"colour": "#ffff00"})

    assert answer.status_code == 422


def read(picture: Image.Image) -> str | None:
    """Return what a QR reader sees."""
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return found[0].text if found else None

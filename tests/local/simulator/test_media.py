"""Files go up, can be fetched for 5 minutes with the token, and are gone when their time is over."""

import base64
import hashlib
from typing import Any

import pytest

from tests.local.simulator.parties import ANA, NUMBER, Business, Clock, Endpoint, Phone

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DAY = 86400
MB = 1024 * 1024


async def uploaded(business: Business, content: bytes = PNG, mime: str = "image/png") -> str:
    answer = await business.upload(content, mime)
    assert answer.status_code == 200, answer.text
    media_id: str = answer.json()["id"]
    return media_id


async def facts(business: Business, media_id: str, **query: str) -> dict[str, Any]:
    body: dict[str, Any] = (await business.http.get(f"/graph/v26.0/{media_id}", params=query)).json()
    return body


async def test_a_file_comes_back_as_it_went_up(business: Business) -> None:
    media_id = await uploaded(business)
    found = await facts(business, media_id)
    assert found["mime_type"] == "image/png"
    assert found["file_size"] == str(len(PNG))
    assert found["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert found["id"] == media_id
    answer = await business.http.get(found["url"])
    assert answer.content == PNG
    assert answer.headers["content-type"] == "image/png"


async def test_a_url_works_for_5_minutes(business: Business, clock: Clock) -> None:
    url = (await facts(business, await uploaded(business)))["url"]
    clock.now += 299
    assert (await business.http.get(url)).status_code == 200
    clock.now += 1
    assert (await business.http.get(url)).status_code == 404


async def test_a_url_needs_the_token_and_its_own_hash(business: Business) -> None:
    url = (await facts(business, await uploaded(business)))["url"]
    assert (await business.http.get(url, headers={"Authorization": ""})).status_code == 401
    assert (await business.http.get(url, headers={"Authorization": "Bearer other-token"})).status_code == 404
    assert (await business.http.get(url + "x")).status_code == 404
    assert (await business.http.get(url.replace("ext=1", "ext=2"))).status_code == 404


async def test_an_uploaded_file_lives_30_days_and_a_received_one_7(
    business: Business, phone: Phone, clock: Clock
) -> None:
    sent_up = await uploaded(business)
    received = (await phone.http.post(f"/simulator/customers/{ANA}/media", files={"file": ("a.png", PNG)})).json()["id"]
    clock.now += 7 * DAY - 1
    assert "url" in await facts(business, received)
    clock.now += 1
    assert (await facts(business, received))["error"]["code"] == 100
    clock.now += 23 * DAY - 1
    assert "url" in await facts(business, sent_up)
    clock.now += 1
    assert (await facts(business, sent_up))["error"]["error_subcode"] == 33


async def test_a_deleted_file_is_gone(business: Business) -> None:
    media_id = await uploaded(business)
    assert (await business.http.delete(f"/graph/v26.0/{media_id}")).json() == {"success": True}
    assert "error" in await facts(business, media_id)
    assert (await business.send(type="image", image={"id": media_id})).json()["error"]["code"] == 100


async def test_asking_for_a_customers_file_by_number_is_refused_as_by_meta(business: Business, phone: Phone) -> None:
    # chatwoot/chatwoot#13319: the parameter names who uploaded the file, and a customer's was uploaded by no number.
    received = (await phone.http.post(f"/simulator/customers/{ANA}/media", files={"file": ("a.png", PNG)})).json()["id"]
    assert (await facts(business, received, phone_number_id=NUMBER))["error"]["code"] == 100
    assert "url" in await facts(business, await uploaded(business), phone_number_id=NUMBER)


@pytest.mark.parametrize(
    ("mime", "size", "accepted"),
    [
        ("image/jpeg", 5 * MB + 1, True),
        ("audio/ogg; codecs=opus", 1000, True),
        ("application/pdf", 100 * MB, True),
        ("application/pdf", 100 * MB + 1, False),
        ("image/gif", 1000, False),
        ("application/zip", 1000, False),
        ("image/png", 0, False),
    ],
)
async def test_types_and_sizes_are_metas(business: Business, mime: str, size: int, accepted: bool) -> None:
    answer = await business.upload(b"\0" * size, mime)
    assert (answer.status_code == 200) is accepted
    if not accepted:
        assert answer.json()["error"]["code"] in (100, 131053)


WEBP = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0"


@pytest.mark.parametrize(
    ("kind", "mime", "content", "delivered"),
    [
        ("image", "image/jpeg", bytes(5 * MB), True),
        ("image", "image/jpeg", bytes(5 * MB + 1), False),
        ("document", "image/jpeg", bytes(5 * MB + 1), True),
        ("video", "video/mp4", bytes(16 * MB + 1), False),
        ("sticker", "image/webp", (WEBP + b"\0").ljust(100 * 1024, b"\0"), True),
        ("sticker", "image/webp", (WEBP + b"\0").ljust(100 * 1024 + 1, b"\0"), False),
        ("sticker", "image/webp", (WEBP + b"\2").ljust(500 * 1024, b"\0"), True),
        ("sticker", "image/webp", (WEBP + b"\2").ljust(500 * 1024 + 1, b"\0"), False),
    ],
)
async def test_a_file_too_large_for_its_message_fails_after_it_was_accepted(
    business: Business, phone: Phone, endpoint: Endpoint, kind: str, mime: str, content: bytes, delivered: bool
) -> None:
    media_id = await uploaded(business, content, mime)
    wamid = await business.sent(type=kind, **{kind: {"id": media_id}})
    assert ("failed" not in endpoint.states(wamid)) is delivered
    if not delivered:
        assert endpoint.statuses[-1]["errors"][0]["code"] == 131053


async def test_the_parts_type_counts_and_not_the_field(business: Business) -> None:
    answer = await business.http.post(
        f"/graph/v26.0/{NUMBER}/media",
        data={"messaging_product": "whatsapp", "type": "image/png"},
        files={"file": ("a.png", PNG, "application/octet-stream")},
    )
    assert answer.json()["error"]["message"].endswith("Received file of type 'application/octet-stream'.")


async def test_an_upload_needs_its_product_and_its_file(business: Business) -> None:
    path = f"/graph/v26.0/{NUMBER}/media"
    without_product = await business.http.post(path, files={"file": ("a.png", PNG, "image/png")})
    without_file = await business.http.post(path, data={"messaging_product": "whatsapp"})
    assert without_product.json()["error"]["message"] == "(#100) The parameter messaging_product is required."
    assert without_file.json()["error"]["message"] == "(#100) The parameter file is required."


async def test_a_picture_reaches_the_phone(business: Business, phone: Phone) -> None:
    await business.sent(type="image", image={"id": await uploaded(business), "caption": "a leaf"})
    shown = (await phone.shows())[0]
    assert shown["image"]["caption"] == "a leaf"
    assert shown["media"]["mime"] == "image/png"
    answer = await phone.http.get(shown["media"]["url"])
    assert answer.content == PNG
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_file_that_does_not_suit_its_message_fails_after_it_was_accepted(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    media_id = await uploaded(business, b"%PDF-1.4", "application/pdf")
    wamid = await business.sent(type="image", image={"id": media_id})
    assert endpoint.states(wamid) == ["failed"]
    assert endpoint.statuses[-1]["errors"][0]["code"] == 131053
    assert await phone.shows() == []


async def test_a_picture_of_a_customer_can_be_fetched_as_the_webhook_says(
    business: Business, phone: Phone, endpoint: Endpoint
) -> None:
    answer = await phone.http.post(
        f"/simulator/customers/{ANA}/messages", files={"file": ("a.png", PNG, "image/png")}, data={"caption": "look"}
    )
    assert answer.status_code == 201
    await phone.simulator.settled()
    image = endpoint.messages[0]["image"]
    assert image["caption"] == "look"
    assert image["mime_type"] == "image/png"
    assert base64.b64decode(image["sha256"]) == hashlib.sha256(PNG).digest()
    assert (await business.http.get((await facts(business, image["id"]))["url"])).content == PNG


async def test_what_could_run_in_a_browser_is_only_ever_downloaded(phone: Phone) -> None:
    for mime in ("text/html", "image/svg+xml"):
        made = await phone.http.post(f"/simulator/customers/{ANA}/media", files={"file": ("a", b"<svg/>", mime)})
        answer = await phone.http.get(f"/simulator/media/{made.json()['id']}")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_large_document_passes(business: Business) -> None:
    media_id = await uploaded(business, b"%PDF" + b"\0" * (20 * MB), "application/pdf")
    answer = await business.http.get((await facts(business, media_id))["url"], headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, b"%PDF")

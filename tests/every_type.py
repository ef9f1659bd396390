"""A conversation that holds every type of message, played through the simulator."""

import io
from typing import Any

import httpx
from PIL import Image, ImageDraw

_REFERRAL = {
    "source_type": "ad",
    "source_id": "120208",
    "source_url": "https://fb.me/2Qx7bikes",
    "headline": "City bikes from €350",
    "body": "Test ride any day, delivery within a week.",
    "media_type": "image",
    "image_url": "https://scontent.example/bike.jpg",
    "ctwa_clid": "ARAk",
}
_JOAO = {
    "name": {"formatted_name": "João Pereira", "first_name": "João"},
    "org": {"company": "Pereira Bikes"},
    "phones": [{"phone": "+55 11 91234-0000", "type": "WORK", "wa_id": "5511912340000"}],
    "emails": [{"email": "joao@example.com", "type": "WORK"}],
}
_ITEMS = [
    {"product_retailer_id": "CITY-7-BLUE", "quantity": 1, "item_price": 350, "currency": "EUR"},
    {"product_retailer_id": "HELMET-M", "quantity": 2, "item_price": 29.9, "currency": "EUR"},
]
_FORM = '{"flow_token":"unused","frame":"52 cm","pick_up":"Friday"}'


class Customer:
    """A simulated customer's hand on the phone."""

    def __init__(self, url: str, wa_id: str, name: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/simulator", timeout=30)
        self._person = f"/customers/{wa_id}"
        self._client.post("/customers", json={"wa_id": wa_id, "name": name}).raise_for_status()

    def write(self, **message: Any) -> str:
        """Write a message in the inbound shape and return its wamid."""
        return str(self._client.post(f"{self._person}/messages", json=message).raise_for_status().json()["id"])

    def say(self, text: str, **more: Any) -> str:
        return self.write(type="text", text={"body": text}, **more)

    def send_file(self, name: str, data: bytes, mime: str, **form: str) -> str:
        sent = self._client.post(f"{self._person}/messages", files={"file": (name, data, mime)}, data=form)
        return str(sent.raise_for_status().json()["id"])

    def received(self, type_: str) -> dict[str, Any]:
        """Return the newest message of a type that came from the business."""
        messages = self._client.get(f"{self._person}/messages").raise_for_status().json()
        return [one for one in messages if one["type"] == type_ and one["from"] != "customer"][-1]  # type: ignore[no-any-return]

    def file_of(self, message: dict[str, Any]) -> bytes:
        url = message["media"]["url"].removeprefix("/simulator")
        return self._client.get(url).raise_for_status().content


def first_words(customer: Customer) -> None:
    """What begins the conversation: a click on an ad."""
    customer.say("Hello! Is the blue bicycle still for sale? https://fb.me/2Qx7bikes", referral=_REFERRAL)


def files(customer: Customer, voice: bytes, video: bytes | None) -> None:
    """A picture, a video, a voice note, a document and an animated sticker."""
    customer.send_file("street.jpg", picture("JPEG"), "image/jpeg", caption="I saw it *here*, in the window")
    if video:
        customer.send_file("ride.mp4", video, "video/mp4", caption="My old one")
    customer.send_file("voice.ogg", voice, "audio/ogg; codecs=opus", voice="true")
    customer.send_file("Registration 2026.pdf", b"%PDF-1.4\n%%EOF\n" * 9000, "application/pdf", type="document")
    customer.send_file("hello.webp", _sticker(), "image/webp", type="sticker")


def cards(customer: Customer, ours: str) -> None:
    """Places, people, answers, orders and questions; `ours` is the wamid of a message to answer."""
    place = {"latitude": -23.5617, "longitude": -46.6560, "name": "Livraria Cultura", "address": "Av. Paulista 2073"}
    customer.write(type="location", location=place)
    customer.write(type="contacts", contacts=[_JOAO])
    choice = {"type": "list_reply", "list_reply": {"id": "city", "title": "City bike", "description": "7 gears, 52 cm"}}
    customer.write(type="interactive", interactive=choice, context={"id": ours})
    form = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": _FORM}}
    customer.write(type="interactive", interactive=form)
    customer.write(type="button", button={"payload": "yes", "text": "Yes, call me"})
    customer.write(type="order", order={"catalog_id": "7", "text": "By Friday, please", "product_items": _ITEMS})
    product = {"catalog_id": "7", "product_retailer_id": "HELMET-M"}
    customer.say("Is there a smaller one?", context={"referred_product": product})


def changes(customer: Customer, ours: str) -> None:
    """Replies, forwards, reactions, an edit, a deletion, and what can't be shown."""
    customer.say("Perfect, thank you!", context={"id": ours})
    customer.write(type="reaction", reaction={"message_id": ours, "emoji": "❤️"})
    customer.say("Shop of the year: everything 20 % off", context={"forwarded": True, "frequently_forwarded": True})
    wrong = customer.say("See you on Fryday")
    right = {"type": "text", "text": {"body": "See you on Friday"}}
    customer.write(type="edit", edit={"original_message_id": wrong, "message": right})
    gone = customer.say("…")
    customer.write(type="revoke", revoke={"original_message_id": gone})
    error = {"code": 131051, "title": "Message type unknown", "error_data": {"details": "Not supported yet."}}
    customer.write(type="unsupported", unsupported={"type": "poll"}, errors=[error])
    customer.write(type="system", system={"type": "customer_identity_changed", "body": "", "identity": "x"})
    customer.write(type="request_welcome")


def picture(format_: str) -> bytes:
    """Draw a blue bicycle."""
    image = Image.new("RGB", (900, 600), (238, 232, 220))
    draw = ImageDraw.Draw(image)
    blue, dark = (38, 99, 184), (50, 50, 54)
    for x in (250, 650):
        draw.ellipse((x - 140, 270, x + 140, 550), outline=dark, width=14)
    for line in (
        ((250, 410), (430, 410)),
        ((250, 410), (370, 230)),
        ((370, 230), (590, 230)),
        ((430, 410), (590, 230)),
        ((430, 410), (350, 190)),
        ((650, 410), (575, 180)),
    ):
        draw.line(line, fill=blue, width=18)
    draw.line(((310, 185), (400, 185)), fill=dark, width=20)
    draw.line(((575, 180), (650, 165)), fill=dark, width=16)
    return _bytes(image, format_)


def _sticker() -> bytes:
    """A sun that turns."""
    frames = [_sun(turn) for turn in range(0, 30, 5)]
    return _bytes(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=90, loop=0)


def _sun(turn: int) -> Image.Image:
    image = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for ray in range(12):
        draw.pieslice((16, 16, 496, 496), ray * 30 + turn, ray * 30 + turn + 12, fill=(250, 190, 40, 255))
    draw.ellipse((112, 112, 400, 400), fill=(255, 214, 80, 255))
    draw.arc((180, 200, 332, 352), 20, 160, fill=(120, 70, 10, 255), width=14)
    for x in (200, 300):
        draw.ellipse((x, 210, x + 26, 240), fill=(120, 70, 10, 255))
    return image


def _bytes(image: Image.Image, format_: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()

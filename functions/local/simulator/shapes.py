"""What `POST {phone_number_id}/messages` takes: every message type with its limits, as strict as Meta.

Source: Meta, "Messages" and the pages of each type. Characters are counted as Unicode code points.
"""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from functions.local.simulator.errors import GraphError

Model = TypeVar("Model", bound=BaseModel)
Short = Annotated[str, Field(min_length=1, max_length=20)]
Caption = Annotated[str, Field(max_length=1024)]


class Shape(BaseModel):
    """Meta refuses keys that it does not know, except on the envelope."""

    model_config = ConfigDict(extra="forbid")


class Text(Shape):
    body: str = Field(min_length=1, max_length=4096)
    preview_url: bool = False


class File(Shape):
    """A file by media id (uploaded before) or by public link."""

    id: str | None = None
    link: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.id is None) == (self.link is None):
            raise ValueError("Exactly one of id and link is needed")
        if self.link is not None and not self.link.startswith(("https://", "http://")):
            raise ValueError("link is not a valid URI.")
        return self


class Image(File):
    caption: Caption | None = None


class Video(File):
    caption: Caption | None = None


class Audio(File):
    voice: bool = False


class Document(File):
    caption: Caption | None = None
    filename: str | None = Field(None, max_length=240)


class Sticker(File):
    pass


class Location(Shape):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str | None = None
    address: str | None = None


class ContactName(Shape):
    formatted_name: str = Field(min_length=1)
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    prefix: str | None = None

    @model_validator(mode="after")
    def _more_than_formatted(self) -> Self:
        if not any((self.first_name, self.last_name, self.middle_name, self.suffix, self.prefix)):
            raise ValueError("A contact's name needs one more part besides formatted_name")
        return self


class Contact(Shape):
    name: ContactName
    phones: list[dict[str, str]] = []
    emails: list[dict[str, str]] = []
    addresses: list[dict[str, str]] = []
    urls: list[dict[str, str]] = []
    org: dict[str, str] | None = None
    birthday: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")


class Reaction(Shape):
    message_id: str = Field(min_length=1)
    emoji: str = ""


class TextPart(Shape):
    """Text of an interactive message's body; its length depends on the kind and is checked there."""

    text: str = Field(min_length=1)


class Footer(Shape):
    text: str = Field(min_length=1, max_length=60)


class Header(Shape):
    type: Literal["text", "image", "video", "document"]
    text: str | None = Field(None, max_length=60)
    image: Image | None = None
    video: Video | None = None
    document: Document | None = None

    @model_validator(mode="after")
    def _holds_its_type(self) -> Self:
        if getattr(self, self.type) is None:
            raise ValueError(f"The header of type {self.type} has no {self.type}")
        return self


class Reply(Shape):
    id: str = Field(min_length=1, max_length=256)
    title: Short


class Button(Shape):
    type: Literal["reply"]
    reply: Reply


class ButtonAction(Shape):
    buttons: list[Button] = Field(min_length=1, max_length=3)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _all_different("button id", [button.reply.id for button in self.buttons])
        _all_different("button title", [button.reply.title for button in self.buttons])
        return self


class Row(Shape):
    id: str = Field(min_length=1, max_length=200)
    title: str = Field(min_length=1, max_length=24)
    description: str | None = Field(None, max_length=72)


class Section(Shape):
    title: str | None = Field(None, max_length=24)
    rows: list[Row] = Field(min_length=1)


class ListAction(Shape):
    button: Short
    sections: list[Section] = Field(min_length=1, max_length=10)

    @model_validator(mode="after")
    def _rows(self) -> Self:
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > 10:
            raise ValueError("Total row count exceeds the allowed 10")
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise ValueError("Every section needs a title when there is more than one")
        _all_different("row id", [row.id for row in rows])
        return self


class LinkParameters(Shape):
    display_text: Short
    url: str = Field(pattern=r"^https?://")


class LinkAction(Shape):
    name: Literal["cta_url"]
    parameters: LinkParameters


class FlowParameters(Shape):
    flow_message_version: Literal["3"]
    flow_id: str | None = None
    flow_name: str | None = None
    flow_cta: str = Field(min_length=1, max_length=30)
    flow_token: str | None = None
    flow_action: Literal["navigate", "data_exchange"] = "navigate"
    flow_action_payload: dict[str, Any] | None = None
    mode: Literal["draft", "published"] = "published"

    @model_validator(mode="after")
    def _one_flow(self) -> Self:
        if (self.flow_id is None) == (self.flow_name is None):
            raise ValueError("Exactly one of flow_id and flow_name is needed")
        return self


class FlowAction(Shape):
    name: Literal["flow"]
    parameters: FlowParameters


class NamedAction(Shape):
    """The action of kinds whose action is little more than its name."""

    name: str | None = None
    parameters: dict[str, Any] | None = None


class ProductAction(Shape):
    catalog_id: str
    product_retailer_id: str


class ProductSection(Shape):
    title: str | None = Field(None, max_length=24)
    product_items: list[dict[str, str]] = Field(min_length=1, max_length=30)


class ProductListAction(Shape):
    catalog_id: str
    sections: list[ProductSection] = Field(min_length=1, max_length=10)

    @model_validator(mode="after")
    def _products(self) -> Self:
        if sum(len(section.product_items) for section in self.sections) > 30:
            raise ValueError("Total product count exceeds the allowed 30")
        return self


class CardBody(Shape):
    text: str = Field(min_length=1, max_length=160)

    @model_validator(mode="after")
    def _lines(self) -> Self:
        if self.text.count("\n") > 2:
            raise ValueError("A card's body holds at most 2 line breaks")
        return self


class Card(Shape):
    card_index: int = Field(ge=0, le=9)
    type: Literal["cta_url", "button"] = "cta_url"
    header: Header
    body: CardBody | None = None
    action: LinkAction | ButtonAction


class CarouselAction(Shape):
    cards: list[Card] = Field(min_length=2, max_length=10)


INTERACTIVE: dict[str, tuple[type[Shape], int]] = {
    "button": (ButtonAction, 1024),
    "list": (ListAction, 4096),
    "cta_url": (LinkAction, 1024),
    "location_request_message": (NamedAction, 1024),
    "request_contact_info": (NamedAction, 1024),
    "flow": (FlowAction, 1024),
    "product": (ProductAction, 1024),
    "product_list": (ProductListAction, 1024),
    "catalog_message": (NamedAction, 1024),
    "carousel": (CarouselAction, 1024),
    "call_permission_request": (NamedAction, 1024),
    "voice_call": (NamedAction, 1024),
    "address_message": (NamedAction, 1024),
}
"""Kinds of interactive message: the shape of the action, and how long the body may be."""


class Interactive(Shape):
    type: Literal[tuple(INTERACTIVE)]  # type: ignore[valid-type]
    header: Header | None = None
    body: TextPart | None = None
    footer: Footer | None = None
    action: dict[str, Any]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        _, longest = INTERACTIVE[self.type]
        if self.body is None and self.type != "product":
            raise ValueError(f"The body of an interactive message of type {self.type} is required")
        if self.body and len(self.body.text) > longest:
            raise ValueError(f"Body text length invalid. Min length: 1, Max length: {longest}")
        if self.header and self.header.type != "text" and self.type in ("list", "product_list"):
            raise ValueError("The header of this type must be text")
        if self.type == "carousel" and (self.header or self.footer):
            raise ValueError("A carousel has neither header nor footer")
        return self


class Language(Shape):
    code: str = Field(min_length=2)
    policy: Literal["deterministic"] = "deterministic"


class Parameter(Shape):
    type: Literal[
        "text", "image", "video", "document", "location", "payload", "coupon_code", "action", "currency", "date_time"
    ]
    parameter_name: str | None = None
    text: str | None = None
    image: Image | None = None
    video: Video | None = None
    document: Document | None = None
    location: Location | None = None
    payload: str | None = Field(None, max_length=256)
    coupon_code: str | None = Field(None, max_length=20)
    action: dict[str, Any] | None = None
    currency: dict[str, Any] | None = None
    date_time: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _holds_its_type(self) -> Self:
        if getattr(self, self.type) is None:
            raise ValueError(f"Parameter of type {self.type} is missing {self.type} value")
        return self


class Component(Shape):
    type: Literal["header", "body", "button", "HEADER", "BODY", "BUTTON"]
    sub_type: str | None = None
    index: int | None = Field(None, ge=0, le=9)
    parameters: list[Parameter] = []


class Template(Shape):
    name: str = Field(min_length=1, max_length=512)
    language: Language
    components: list[Component] = []


class Context(BaseModel):
    message_id: str = Field(min_length=1)


TYPES = (
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
)
"""The types that can be sent; each has an object of the same name."""

FILES = ("image", "video", "audio", "document", "sticker")
"""The types that carry a file."""


class Envelope(BaseModel):
    """What surrounds a message. Graph ignores parameters that it does not know at this level."""

    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual"] = "individual"
    to: str | None = None
    recipient: str | None = None
    type: Literal[TYPES] = "text"  # type: ignore[valid-type]
    context: Context | None = None
    biz_opaque_callback_data: str | None = Field(None, max_length=512)
    text: Text | None = None
    image: Image | None = None
    video: Video | None = None
    audio: Audio | None = None
    document: Document | None = None
    sticker: Sticker | None = None
    location: Location | None = None
    contacts: list[Contact] | None = Field(None, min_length=1, max_length=257)
    reaction: Reaction | None = None
    interactive: Interactive | None = None
    template: Template | None = None

    @property
    def content(self) -> Any:
        """The object of the message's own type."""
        return getattr(self, self.type)


class Typing(Shape):
    type: Literal["text"]


class ReadMark(BaseModel):
    """The other body of the same endpoint: blue ticks, and with them the typing dots."""

    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: str = Field(min_length=1)
    typing_indicator: Typing | None = None


def parse_send(body: Any) -> Envelope:
    """Return the message of a request. Raises `GraphError` as Meta would answer."""
    envelope = _parsed(Envelope, body)
    if envelope.to is None and envelope.recipient is None:
        raise GraphError(100, message="(#100) The parameter to is required.")
    if envelope.content is None:
        raise GraphError(131008, f"Parameter of type {envelope.type} is missing {envelope.type} value")
    if envelope.type == "interactive":
        action, _ = INTERACTIVE[envelope.content.type]
        _parsed(action, envelope.content.action, ("interactive", "action"))
    return envelope


def parse_read_mark(body: Any) -> ReadMark:
    """Return the read mark of a request. Raises `GraphError`."""
    return _parsed(ReadMark, body)


def _parsed(model: type[Model], body: Any, place: tuple[str, ...] = ()) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        # Meta names one fault at a time, and a missing one before a wrong one.
        faults = error.errors(include_url=False, include_input=False)
        fault = min(faults, key=lambda fault: fault["type"] != "missing")
        raise _refusal((*place, *fault["loc"]), fault) from None


def _refusal(place: tuple[int | str, ...], fault: ErrorDetails) -> GraphError:
    """Translate a fault into Meta's answer."""
    path, kind, context = _path(place), fault["type"], fault.get("ctx", {})
    if kind == "missing" and len(place) == 1:
        return GraphError(100, message=f"(#100) The parameter {path} is required.")
    if kind == "missing":
        return GraphError(131008, f"The parameter {path} is required.")
    if kind == "extra_forbidden":
        return GraphError(100, message=f'(#100) Unexpected key "{place[-1]}" on param "{_path(place[:-1])}".')
    if kind == "string_too_long":
        longest = context["max_length"]
        return GraphError(100, message=f"(#100) Param {path} must be at most {longest} characters long.")
    if kind == "literal_error":
        return GraphError(100, message=f"(#100) Param {path} must be one of {{{context['expected']}}}.")
    if kind in ("model_type", "dict_type"):
        return GraphError(100, message=f"(#100) Param {path} must be a JSON object.")
    return GraphError(131009, f"{path}: {fault['msg'].removeprefix('Value error, ')}")


def _path(location: tuple[int | str, ...]) -> str:
    """Write a place as Meta does: template['components'][0]['type']."""
    if not location:
        return "body"
    head, *rest = location
    return str(head) + "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in rest)


def _all_different(what: str, values: list[str]) -> None:
    if len(set(values)) < len(values):
        raise ValueError(f"Duplicate {what}")

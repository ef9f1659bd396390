"""What callers send: Graph's own message shape plus `client_id`, checked against WhatsApp's limits."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from functions.chat.consent import StatedConsent
from functions.chat.interactive import Interactive
from functions.chat.shapes import File, Id, Label, NamedFile, Said, Strict
from functions.core.limits import CAPTION, TEXT

ClientId = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Phone = Annotated[
    str,
    BeforeValidator(lambda phone: re.sub(r"[\s().-]", "", phone) if isinstance(phone, str) else phone),
    StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$"),
]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"\S")]

CARDS = 257
"""How many contacts one message may share."""

_LAST_LATIN = 0xFF


class Text(Strict):
    body: Said
    preview_url: bool = False


class Captioned(File):
    caption: Annotated[str, Field(max_length=CAPTION)] | None = None


class Document(NamedFile, Captioned):
    pass


class Audio(File):
    voice: bool = False


class Location(Strict):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=1000)] | None = None
    address: Annotated[str, Field(max_length=1000)] | None = None


class Language(Strict):
    code: Annotated[str, StringConstraints(min_length=2, max_length=20, pattern=r"^[A-Za-z_-]+$")]
    policy: Literal["deterministic"] = "deterministic"


class TemplateParameter(Strict):
    """One value. Whether it suits the template is checked against its definition, with a sentence for each field."""

    type: Literal["text", "image", "video", "document", "location", "coupon_code", "payload"]
    parameter_name: Annotated[str, Field(max_length=200)] | None = None
    text: Annotated[str, Field(max_length=TEXT)] | None = None
    image: File | None = None
    video: File | None = None
    document: NamedFile | None = None
    location: Location | None = None
    coupon_code: Annotated[str, Field(max_length=200)] | None = None
    payload: Annotated[str, Field(max_length=256)] | None = None


class TemplatePart(Strict):
    type: Literal["header", "body"]
    parameters: Annotated[list[TemplateParameter], Field(max_length=50)] | None = None


class TemplateButton(Strict):
    type: Literal["button"]
    sub_type: Literal["quick_reply", "url", "copy_code"]
    index: Annotated[int, Field(ge=0, le=9)]
    parameters: Annotated[list[TemplateParameter], Field(max_length=1)] | None = None


TemplateComponent = Annotated[TemplatePart | TemplateButton, Field(discriminator="type")]


class Template(Strict):
    name: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    language: Language
    components: Annotated[list[TemplateComponent], Field(max_length=12)] | None = None


class Reaction(Strict):
    """`message_id` is our id of the message; without an emoji the reaction is taken back."""

    message_id: Id
    emoji: Annotated[str, Field(max_length=24)]

    @field_validator("emoji")
    @classmethod
    def _one_emoji(cls, emoji: str) -> str:
        pictured = any(ord(sign) > _LAST_LATIN and not sign.isalnum() for sign in emoji)
        if emoji and (not pictured or any(sign.isspace() or sign.isalpha() for sign in emoji)):
            raise ValueError("This is no emoji")
        return emoji


class ContactName(Strict):
    """Besides `formatted_name` one of the others must be given."""

    formatted_name: Label
    first_name: Label | None = None
    last_name: Label | None = None
    middle_name: Label | None = None
    suffix: Label | None = None
    prefix: Label | None = None

    @model_validator(mode="after")
    def _more_than_formatted(self) -> Self:
        if not any((self.first_name, self.last_name, self.middle_name, self.suffix, self.prefix)):
            raise ValueError("A name needs one more part besides formatted_name")
        return self


class ContactPhone(Strict):
    phone: Label | None = None
    type: Label | None = None
    wa_id: Label | None = None


class ContactEmail(Strict):
    email: Label | None = None
    type: Label | None = None


class ContactUrl(Strict):
    url: Label | None = None
    type: Label | None = None


class ContactAddress(Strict):
    street: Label | None = None
    city: Label | None = None
    state: Label | None = None
    zip: Label | None = None
    country: Label | None = None
    country_code: Label | None = None
    type: Label | None = None


class ContactOrganization(Strict):
    company: Label | None = None
    department: Label | None = None
    title: Label | None = None


class Card(Strict):
    """A contact that is shared."""

    name: ContactName
    phones: Annotated[list[ContactPhone], Field(max_length=20)] | None = None
    emails: Annotated[list[ContactEmail], Field(max_length=20)] | None = None
    urls: Annotated[list[ContactUrl], Field(max_length=20)] | None = None
    addresses: Annotated[list[ContactAddress], Field(max_length=20)] | None = None
    org: ContactOrganization | None = None
    birthday: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class Context(Strict):
    """`message_id` is our id of the message that is answered."""

    message_id: Id


class Author(Strict):
    """Who says it, where another system speaks through a CRM server."""

    kind: Literal["agent", "system"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    name: Annotated[str, Field(max_length=200)] | None = None


class _Message(Strict):
    """`author` and `automatic` (nobody pressed send) are a CRM server's to say.

    Templates that are automatic wait in a queue of their own, so that no agent's message waits behind a campaign.
    """

    client_id: ClientId
    context: Context | None = None
    author: Author | None = None
    automatic: bool = False

    def graph(self) -> dict[str, Any]:
        """Return the message in Graph's shape."""
        return self.model_dump(exclude={"client_id", "author", "automatic"}, exclude_none=True)


class TextMessage(_Message):
    type: Literal["text"]
    text: Text


class ImageMessage(_Message):
    type: Literal["image"]
    image: Captioned


class VideoMessage(_Message):
    type: Literal["video"]
    video: Captioned


class AudioMessage(_Message):
    type: Literal["audio"]
    audio: Audio


class DocumentMessage(_Message):
    type: Literal["document"]
    document: Document


class StickerMessage(_Message):
    type: Literal["sticker"]
    sticker: File


class LocationMessage(_Message):
    type: Literal["location"]
    location: Location


class TemplateMessage(_Message):
    type: Literal["template"]
    template: Template


class ContactsMessage(_Message):
    type: Literal["contacts"]
    contacts: Annotated[list[Card], Field(min_length=1, max_length=CARDS)]


class InteractiveMessage(_Message):
    type: Literal["interactive"]
    interactive: Interactive


class ReactionMessage(_Message):
    """A reaction stands on another message and quotes none."""

    type: Literal["reaction"]
    context: None = None
    reaction: Reaction


Message = Annotated[
    TextMessage
    | ImageMessage
    | VideoMessage
    | AudioMessage
    | DocumentMessage
    | StickerMessage
    | LocationMessage
    | ContactsMessage
    | InteractiveMessage
    | ReactionMessage
    | TemplateMessage,
    Field(discriminator="type"),
]


class Recipient(Strict):
    """Exactly one: a number with its country code, a user id of WhatsApp's, or a conversation of the same person."""

    phone: Phone | None = None
    bsuid: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}\.[A-Za-z0-9.]{1,128}$")] | None = None
    conversation: Id | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [self.phone, self.bsuid, self.conversation].count(None) != 2:
            raise ValueError("Name exactly one of phone, bsuid and conversation")
        return self


class Start(Strict):
    """A conversation to begin. `name`: what to call the customer until WhatsApp says it.

    `consent`: what the CRM has on record of somebody with whom it has no conversation to say it of.
    """

    line: Annotated[str, Field(min_length=1, max_length=64)]
    to: Recipient
    name: Annotated[str, Field(max_length=200)] | None = None
    message: TemplateMessage
    author: Author | None = None
    consent: StatedConsent | None = None


class Owner(Strict):
    id: int
    name: Annotated[str, Field(max_length=200)]


class Record(Strict):
    """A card of the CRM, such as `crm.lead` 7."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    id: int
    name: Annotated[str, Field(max_length=500)]


class Care(Strict):
    """What is left out stays as it is."""

    owner: Owner | None = None
    records: Annotated[list[Record], Field(max_length=50)] = Field(default_factory=list)
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list)


class SendAgain(Strict):
    """Say it once more, as a new message that names the old one."""

    as_: Annotated[Literal["send_again"], Field(alias="as")]
    client_id: ClientId


class LetBe(Strict):
    """Leave it as it is."""

    as_: Annotated[Literal["let_be"], Field(alias="as")]


Settle = Annotated[SendAgain | LetBe, Field(discriminator="as_")]


class Note(Strict):
    client_id: ClientId
    body: Said


class Read(Strict):
    """`message`: read up to this one."""

    message: Id


class NewFile(Strict):
    """A file that is about to be uploaded. `size` in bytes; `type`: of the message it is for.

    It is for one conversation, or, where that is about to begin with it, for any on a line.
    """

    conversation: Id | None = None
    line: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    type: Literal["image", "video", "audio", "sticker", "document"] = "document"
    filename: Annotated[str, StringConstraints(min_length=1, max_length=240)]
    mime: Annotated[str, StringConstraints(max_length=120, pattern=r"^[\w.+-]+/[\w.+-]+(;.*)?$")]
    size: Annotated[int, Field(gt=0)]

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.conversation is None) == (self.line is None):
            raise ValueError("Name exactly one of conversation and line")
        return self

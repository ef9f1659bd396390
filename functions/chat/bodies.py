"""What callers send: Graph's own message shape plus `client_id`, checked against WhatsApp's limits."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from functions.core.limits import CAPTION, TEXT

ClientId = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9]+$")]
Said = Annotated[str, StringConstraints(min_length=1, max_length=TEXT, pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Text(_Strict):
    body: Said
    preview_url: bool = False


class File(_Strict):
    """`id` is that of `POST media`."""

    id: Id


class Captioned(File):
    caption: Annotated[str, Field(max_length=CAPTION)] | None = None


class NamedFile(File):
    filename: Annotated[str, Field(max_length=240)] | None = None


class Document(NamedFile, Captioned):
    pass


class Audio(File):
    voice: bool = False


class Location(_Strict):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=1000)] | None = None
    address: Annotated[str, Field(max_length=1000)] | None = None


class Language(_Strict):
    code: Annotated[str, StringConstraints(min_length=2, max_length=20, pattern=r"^[A-Za-z_-]+$")]
    policy: Literal["deterministic"] = "deterministic"


class TemplateParameter(_Strict):
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


class TemplatePart(_Strict):
    type: Literal["header", "body"]
    parameters: Annotated[list[TemplateParameter], Field(max_length=50)] = []


class TemplateButton(_Strict):
    type: Literal["button"]
    sub_type: Literal["quick_reply", "url", "copy_code"]
    index: Annotated[int, Field(ge=0, le=9)]
    parameters: Annotated[list[TemplateParameter], Field(max_length=1)] = []


TemplateComponent = Annotated[TemplatePart | TemplateButton, Field(discriminator="type")]


class Template(_Strict):
    name: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    language: Language
    components: Annotated[list[TemplateComponent], Field(max_length=12)] = []


class Context(_Strict):
    """`message_id` is our id of the message that is answered."""

    message_id: Id


class Author(_Strict):
    """Who says it, where another system speaks through a CRM server."""

    kind: Literal["agent", "system"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    name: Annotated[str, Field(max_length=200)] | None = None


class _Message(_Strict):
    """`author` and `automatic` (nobody pressed send) are a CRM server's to say."""

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


Message = Annotated[
    TextMessage
    | ImageMessage
    | VideoMessage
    | AudioMessage
    | DocumentMessage
    | StickerMessage
    | LocationMessage
    | TemplateMessage,
    Field(discriminator="type"),
]


class Note(_Strict):
    client_id: ClientId
    body: Said


class Read(_Strict):
    """`message`: read up to this one."""

    message: Id


class NewFile(_Strict):
    """A file that is about to be uploaded for a conversation. `size` in bytes; `type`: of the message it is for."""

    conversation: Id
    type: Literal["image", "video", "audio", "sticker", "document"] = "document"
    filename: Annotated[str, StringConstraints(min_length=1, max_length=240)]
    mime: Annotated[str, StringConstraints(max_length=120, pattern=r"^[\w.+-]+/[\w.+-]+(;.*)?$")]
    size: Annotated[int, Field(gt=0)]

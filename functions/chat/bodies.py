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


class Document(Captioned):
    filename: Annotated[str, Field(max_length=240)] | None = None


class Audio(File):
    voice: bool = False


class Location(_Strict):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=1000)] | None = None
    address: Annotated[str, Field(max_length=1000)] | None = None


class Context(_Strict):
    """`message_id` is our id of the message that is answered."""

    message_id: Id


class _Message(_Strict):
    client_id: ClientId
    context: Context | None = None

    def graph(self) -> dict[str, Any]:
        """Return the message in Graph's shape."""
        return self.model_dump(exclude={"client_id"}, exclude_none=True)


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


Message = Annotated[
    TextMessage | ImageMessage | VideoMessage | AudioMessage | DocumentMessage | StickerMessage | LocationMessage,
    Field(discriminator="type"),
]


class Note(_Strict):
    client_id: ClientId
    body: Said


class Read(_Strict):
    """`message`: read up to this one."""

    message: Id


class NewFile(_Strict):
    """A file that is about to be uploaded for a conversation. `size` in bytes."""

    conversation: Id
    filename: Annotated[str, StringConstraints(min_length=1, max_length=240)]
    mime: Annotated[str, StringConstraints(max_length=120, pattern=r"^[\w.+-]+/[\w.+-]+(;.*)?$")]
    size: Annotated[int, Field(gt=0, le=100 * 1024 * 1024)]

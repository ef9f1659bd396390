"""Messages with buttons: quick replies, a list to choose from, a link, and the question for a location.

Source: Meta, "Interactive messages" (2025-12).
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from functions.chat.shapes import File, NamedFile, Strict

BODY, LIST_BODY, HEADER, FOOTER = 1024, 4096, 60, 60
BUTTONS, ROWS, SECTIONS = 3, 10, 10

Title = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=r"\S")]
RowTitle = Annotated[str, StringConstraints(min_length=1, max_length=24, pattern=r"\S")]


class Body(Strict):
    text: Annotated[str, StringConstraints(min_length=1, max_length=BODY, pattern=r"\S")]


class ListBody(Strict):
    text: Annotated[str, StringConstraints(min_length=1, max_length=LIST_BODY, pattern=r"\S")]


class Footer(Strict):
    text: Annotated[str, StringConstraints(min_length=1, max_length=FOOTER, pattern=r"\S")]


class TextHeader(Strict):
    type: Literal["text"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=HEADER, pattern=r"\S")]


class ImageHeader(Strict):
    type: Literal["image"]
    image: File


class VideoHeader(Strict):
    type: Literal["video"]
    video: File


class DocumentHeader(Strict):
    type: Literal["document"]
    document: NamedFile


Header = Annotated[TextHeader | ImageHeader | VideoHeader | DocumentHeader, Field(discriminator="type")]


class Reply(Strict):
    id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    title: Title


class Button(Strict):
    type: Literal["reply"] = "reply"
    reply: Reply


class ButtonAction(Strict):
    buttons: Annotated[list[Button], Field(min_length=1, max_length=BUTTONS)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _all_different("titles", [button.reply.title for button in self.buttons])
        _all_different("ids", [button.reply.id for button in self.buttons])
        return self


class Row(Strict):
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    title: RowTitle
    description: Annotated[str, Field(max_length=72)] | None = None


class Section(Strict):
    title: RowTitle | None = None
    rows: Annotated[list[Row], Field(min_length=1, max_length=ROWS)]


class ListAction(Strict):
    button: Title
    sections: Annotated[list[Section], Field(min_length=1, max_length=SECTIONS)]

    @model_validator(mode="after")
    def _all_sections(self) -> Self:
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > ROWS:
            raise ValueError(f"A list has at most {ROWS} rows in all; this one has {len(rows)}")
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise ValueError("Each section needs a title when there is more than one")
        _all_different("ids", [row.id for row in rows])
        return self


class Link(Strict):
    display_text: Title
    url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://\S+$")]


class LinkAction(Strict):
    name: Literal["cta_url"] = "cta_url"
    parameters: Link


class LocationAction(Strict):
    name: Literal["send_location"] = "send_location"


class _Framed(Strict):
    header: Header | None = None
    body: Body
    footer: Footer | None = None


class ButtonMessage(_Framed):
    type: Literal["button"]
    action: ButtonAction


class ListMessage(Strict):
    type: Literal["list"]
    header: TextHeader | None = None
    body: ListBody
    footer: Footer | None = None
    action: ListAction


class LinkMessage(_Framed):
    type: Literal["cta_url"]
    action: LinkAction


class LocationRequest(Strict):
    type: Literal["location_request_message"]
    body: Body
    action: LocationAction = LocationAction()


Interactive = Annotated[ButtonMessage | ListMessage | LinkMessage | LocationRequest, Field(discriminator="type")]


def _all_different(what: str, values: Sequence[str]) -> None:
    if len(set(values)) < len(values):
        raise ValueError(f"The {what} must differ from each other")

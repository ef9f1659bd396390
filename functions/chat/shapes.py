"""The small parts of which the bodies of requests are made."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from functions.core.limits import TEXT

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9]+$")]
Said = Annotated[str, StringConstraints(min_length=1, max_length=TEXT, pattern=r"\S")]
Label = Annotated[str, Field(max_length=500)]


class Strict(BaseModel):
    """What is not known is refused: WhatsApp would refuse it too, but after the agent has gone on."""

    model_config = ConfigDict(extra="forbid")


class File(Strict):
    """`id` is that of `POST media`."""

    id: Id


class NamedFile(File):
    filename: Annotated[str, Field(max_length=240)] | None = None

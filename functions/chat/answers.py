"""What the API answers, for its description: a test holds every route's real answers to these shapes."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Answer):
    """A refusal: `code` is for programs and stays, `detail` is a sentence that a person can act on."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] | None = Field(None, description="`field` and `message` of each field that is wrong")
    until: AwareDatetime | None = Field(None, description="When the window closed (code `window_closed`)")
    since: AwareDatetime | None = Field(None, description="From when on it is allowed (code `too_early`)")
    limit: int | None = Field(None, description="Bytes that WhatsApp takes (code `file_too_large`)")
    offer: str | None = Field(None, description="As what the file could be sent instead: `document`")
    template_status: str | None = Field(None, description="WhatsApp's own word (code `template_not_approved`)")


class Error(_Answer):
    """What went wrong with a message or a line. `plain` is a sentence for the agent."""

    code: int | None
    title: str | None
    details: str | None
    plain: str
    decision: Literal["retry", "ambiguous", "template needed", "recipient", "template", "account", "ours"]


class Health(_Answer):
    """Whether a line sends; `quality` and `limit` are WhatsApp's own words."""

    sending: Literal["ok", "held"]
    error: Error | None
    since: AwareDatetime | None
    quality: str | None
    limit: str | None


class Line(_Answer):
    id: str
    phone_number_id: str
    number: str
    name: str


class HeadLine(Line):
    """`opt_in`: marketing needs the customer's agreement first."""

    opt_in: bool
    health: Health


class Marketing(_Answer):
    value: Literal["stop", "resume"]
    source: str
    at: AwareDatetime


class Consent(_Answer):
    """`stopped`: the customer said STOP or is blacklisted, so that nothing may go out automatically.

    `agreed`: to marketing. `notice`: when the notice about their data was sent.
    """

    marketing: Marketing | None
    agreed: bool
    stopped: bool
    notice: AwareDatetime | None


class Rules(_Answer):
    """A line's rules."""

    opt_in: bool
    stop_words: list[str]
    resume_words: list[str]
    stop_replied: bool
    stop_reply: str
    language: str
    notice: str


class Contact(_Answer):
    """A person; any identity may be null."""

    id: str
    name: str | None
    wa_id: str | None
    phone: str | None
    bsuid: str | None
    username: str | None


class HeadContact(Contact):
    consent: Consent


class ListedContact(Contact):
    phone_variants: list[str]


class Window(_Answer):
    """Until when free text is allowed."""

    open: bool
    until: AwareDatetime | None


class Owner(_Answer):
    id: int
    name: str


class Record(_Answer):
    model: str
    id: int
    name: str


class Head(_Answer):
    """A conversation. Of two versions the larger is the newer."""

    id: str
    line: HeadLine
    contact: HeadContact
    window: Window
    unread: int
    received: int
    read: int
    owner: Owner | None
    records: list[Record]
    tags: list[str]
    merged_into: str | None
    version: int


class Listed(_Answer):
    """A conversation in a list; `line` is its line's id. All but `window` and `unread` is as events tell it."""

    id: str
    line: str
    contact: ListedContact | None
    window: Window
    unread: int
    updated: AwareDatetime
    consent: Consent | None
    version: int
    received: int
    read: int
    last_in: AwareDatetime | None
    last_out: AwareDatetime | None
    window_until: AwareDatetime | None
    referral: dict[str, Any] | None
    attribution: dict[str, Any] | None
    merged_into: str | None


class Conversations(_Answer):
    items: list[Listed]
    next: str | None


class Author(_Answer):
    kind: Literal["customer", "agent", "phone", "system"]
    id: str
    name: str | None


class Quote(_Answer):
    """What is quoted; all null when it is not known here."""

    id: str | None
    type: str | None
    preview: str | None
    author: Author | None


class Reaction(_Answer):
    """`status` and `error` tell what became of one of ours."""

    emoji: str
    by: Literal["customer", "business"]
    name: str | None
    at: AwareDatetime | None
    status: str | None
    error: Error | None


class Media(_Answer):
    """A file; its addresses are good for some minutes. `size` in bytes."""

    mime: str | None
    name: str | None
    size: int | None
    state: Literal["waiting", "stored", "failed"]
    reason: str | None
    width: int | None
    height: int | None
    url: str | None
    thumbnail: str | None
    voice: bool
    animated: bool


class Settle(_Answer):
    from_: AwareDatetime = Field(alias="from")


class Settler(_Answer):
    id: str
    name: str | None


class Settled(_Answer):
    as_: Literal["let_be", "sent_again"] = Field(alias="as")
    by: Settler
    at: AwareDatetime


class Message(_Answer):
    """A message. Beside these fields stands the type's own object in Graph's shape, under the type's name.

    A template shows as the customer reads it: `name`, `language`, `category`, `header`, `body`, `footer`, `buttons`.
    """

    model_config = ConfigDict(extra="allow")

    id: str
    conversation: str
    direction: Literal["in", "out"]
    type: str
    at: AwareDatetime
    sort: str | None = Field(description="Its place, to compare as text; null for a reaction, which stands in no page")
    version: int
    status: Literal["received", "queued", "sending", "unknown", "sent", "failed", "delivered", "read", "played"] | None
    statuses: dict[str, AwareDatetime]
    error: Error | None
    author: Author
    client_id: str | None
    reply_to: Quote | None
    forwarded: bool
    frequently_forwarded: bool
    product: Any
    referral: Any
    history: bool
    edited: AwareDatetime | None
    revoked: AwareDatetime | None
    reactions: list[Reaction]
    media: Media | None
    settle: Settle | None = Field(description="From when on an agent may settle a message whose end is unknown")
    settled: Settled | None
    again: str | None = Field(description="The message that was sent in place of this one")
    again_of: str | None = Field(description="The message that this one repeats")


class Messages(_Answer):
    """Oldest first. `next` goes on within this reading, `cursor` is where the next one begins."""

    items: list[Message]
    next: str | None
    cursor: str


class Started(_Answer):
    conversation: Head
    message: Message


class Count(_Answer):
    read: int
    unread: int


class TemplateHeader(_Answer):
    format: str
    text: str | None = None


class TemplateButton(_Answer):
    type: str
    text: str | None
    url: str | None = None
    phone_number: str | None = None


class TemplateParameter(_Answer):
    """A value that a send must give; its `field` is named again in a `template_invalid` refusal."""

    field: str
    kind: Literal["text", "image", "video", "document", "location", "url_suffix", "copy_code"]
    example: str | None


class Template(_Answer):
    """A definition; `status`, `category`, `quality` and `reason` are WhatsApp's own words."""

    name: str
    language: str
    status: str
    category: str
    quality: str | None
    reason: str | None
    parameter_format: Literal["named", "positional"]
    header: TemplateHeader | None
    body: str
    footer: str | None
    buttons: list[TemplateButton]
    parameters: list[TemplateParameter]
    sendable: bool
    why: str | None


class Templates(_Answer):
    items: list[Template]
    next: str | None


class Target(_Answer):
    method: str
    url: str
    headers: dict[str, str]


class Upload(_Answer):
    """Where to put the bytes; then a message may name the id."""

    id: str
    upload: Target


class Addresses(_Answer):
    url: str | None
    thumbnail: str | None


class FileLimit(_Answer):
    """`size` in bytes; `still_size`: that of a sticker that does not move."""

    mimes: list[str]
    size: int
    still_size: int | None = None


class Limits(_Answer):
    text: int
    caption: int
    files: dict[str, FileLimit]


class Reach(_Answer):
    """How the CRM is reached. Events that can't be pushed must be pulled: `code` and `reason` say why.

    `check` is the last check that was asked for and done.
    """

    way: Literal["pushed", "pulled"]
    code: str | None
    reason: str | None
    check: str | None


class Events(_Answer):
    """Events as they would be pushed; `next` is the following call's `after`, `more` whether there are some."""

    items: list[dict[str, Any]]
    next: str
    more: bool
    reach: Reach


class HandedIn(_Answer):
    settled: int


class LinkedLine(Line):
    """`link` opens a chat with the line."""

    link: str


class Paired(_Answer):
    """What the CRM signs with from now on; the secret is never shown again."""

    connection: str
    secret: str
    lines: list[LinkedLine]


class Connection(_Answer):
    """`url` and `database`: where the CRM is."""

    id: str
    kind: str
    url: str | None
    database: str | None
    lines: list[LinkedLine]
    reach: Reach


class Check(_Answer):
    """The name under which `reach.check` tells that the check is done."""

    check: str


class Code(_Answer):
    svg: str
    png: str


class Agent(_Answer):
    id: str
    name: str


class Link(_Answer):
    """A link to WhatsApp: `url` works without us, `short` counts its clicks. `expires` in epoch seconds."""

    id: str
    line: Line
    reference: str
    prefilled: str
    url: str
    short: str
    qr: Code
    text: str
    label: str | None
    source: str | None
    medium: str | None
    campaign: str | None
    owner: Agent | None
    team: str | None
    tag: str | None
    expires: int | None


class CountedLink(Link):
    """`days`: clicks by day."""

    clicks: int
    days: dict[str, int]


class Links(_Answer):
    items: list[CountedLink]
    next: str | None


class Review(_Answer):
    """Contacts that may be one person; somebody decides."""

    id: str
    contacts: list[HeadContact]
    reason: str
    at: AwareDatetime


class Reviews(_Answer):
    items: list[Review]
    next: str | None


class ExportedMessage(_Answer):
    """A message: as a line of `text`, as it is shown, and as it came. `file`: its name in an archive."""

    id: str
    conversation: str
    at: AwareDatetime
    text: str
    file: str | None
    message: dict[str, Any]
    raw: dict[str, Any] | None
    before: list[dict[str, Any]]


class Exported(_Answer):
    """What is held of a person; `about` comes with the first page."""

    about: dict[str, Any] | None
    messages: list[ExportedMessage]
    next: str | None


class Erased(_Answer):
    """The contact that is being erased."""

    id: str


class Acted(_Answer):
    """Somebody did something, `count` times between `first` and `last`."""

    id: str
    act: Literal["saw", "sent", "noted", "exported", "erased", "set"]
    actor: Literal["agent", "server", "cli"]
    agent: str
    name: str | None
    first: AwareDatetime
    last: AwareDatetime
    count: int
    line: str | None
    conversation: str | None
    contact: str | None
    what: str | None
    version: int


class Audit(_Answer):
    """`next` is the following call's `after`; `more`: there is more already."""

    items: list[Acted]
    next: str
    more: bool


class Nothing(_Answer):
    """An empty object."""

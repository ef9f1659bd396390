"""What a message says, by its type: known ones in Meta's own shape, everything else as `unsupported`.

Source: Meta, "messages webhook reference" (2026).
"""

from typing import Any

from functions.core.whatsapp.items import errors, mapping, optional, word

MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker"})

OBJECTS = MEDIA_TYPES | {"text", "location", "interactive", "button", "order"}
"""The types whose object is shown as Meta gives it."""

_OLD_NAMES = {"voice": "audio"}

_SYSTEM_KINDS = {
    "user_changed_number": "number_changed",
    "customer_changed_number": "number_changed",
    "user_changed_user_id": "user_id_changed",
    "customer_identity_changed": "identity_changed",
}

_REFERRAL = (
    "source_type",
    "source_id",
    "source_url",
    "headline",
    "body",
    "media_type",
    "image_url",
    "video_url",
    "thumbnail_url",
    "ctwa_clid",
    "welcome_message",
)


def content(item: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a message's type and its object; what can't be shown is of type `unsupported`, never left out."""
    kind = _OLD_NAMES.get(item["type"], item["type"])
    own = item.get(item["type"])
    if kind in OBJECTS and isinstance(own, dict):
        return kind, own | ({"voice": True} if item["type"] == "voice" else {})
    if kind == "contacts" and isinstance(own, list):
        return kind, {"items": [_shared(one, item) for one in own if isinstance(one, dict)]}
    if kind == "system":
        return kind, _system(mapping(own))
    if kind == "request_welcome":
        return kind, {}
    return "unsupported", _unsupported(kind, item)


def context(item: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a message answers or repeats: `id` (a wamid), `forwarded`, `frequently_forwarded`."""
    if "context" not in item:
        return None
    given = mapping(item["context"])
    marks = {name: True for name in ("forwarded", "frequently_forwarded") if given.get(name) is True}
    quoted = optional(given.get("id"))
    return ({"id": quoted} if quoted else {}) | marks or None


def product(item: dict[str, Any]) -> dict[str, Any] | None:
    """Return the product of the catalogue that a message asks about."""
    if "context" not in item:
        return None
    given = mapping(mapping(item["context"]).get("referred_product"))
    return {name: optional(given.get(name)) for name in ("catalog_id", "product_retailer_id")} if given else None


def referral(item: dict[str, Any]) -> dict[str, Any] | None:
    """Return the advertisement or post by which the customer came."""
    if "referral" not in item:
        return None
    given = mapping(item["referral"])
    return {name: given[name] for name in _REFERRAL if given.get(name)} or None


def _shared(one: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Return a shared contact. Meta shows where it comes from in it or beside it, by the version."""
    origin = optional(one.get("origin")) or optional(item.get("origin"))
    return one | ({"origin": origin} if origin else {})


def _system(own: dict[str, Any]) -> dict[str, Any]:
    kind = own.get("type")
    known = _SYSTEM_KINDS.get(kind) if isinstance(kind, str) else None
    return {"kind": known or word(kind), "body": optional(own.get("body"))}


def _unsupported(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    said = optional(mapping(item.get(kind)).get("type")) if kind in ("unsupported", "unknown") else None
    error: dict[str, Any] = next(iter(errors(item)), {})
    code = error.get("code")
    details = optional(mapping(error.get("error_data")).get("details")) or optional(error.get("details"))
    return {
        "type": word(said or kind),
        "code": code if isinstance(code, int) else None,
        "details": details or optional(error.get("title")),
    }

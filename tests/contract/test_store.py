"""What both stores promise (`functions.core.store`)."""

import asyncio
import math
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.core.documents import MAX_BYTES, size_of
from functions.core.store import (
    NOW,
    REMOVE,
    AlreadyExists,
    Document,
    Increment,
    Key,
    Maximum,
    Minimum,
    NotFound,
    Query,
    Stale,
    Store,
    Unavailable,
    Union,
    Unstorable,
    create,
    delete,
    merge,
    update,
)

KEY = Key("messages", "one")
OTHER = Key("messages", "two")
MOMENT = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)


async def fields_of(store: Store, key: Key = KEY) -> dict[str, Any] | None:
    (document,) = await store.get([key])
    return document.fields if document else None


async def version_of(store: Store, key: Key = KEY) -> int:
    (document,) = await store.get([key])
    assert document
    return document.version


# Reading and writing


async def test_what_is_written_is_read_back_the_same(store: Store) -> None:
    fields = {
        "text": "Grüße, 你好 👋\n\x00\x01\u2028",
        "marked": "\x01\x01text",
        "empty": "",
        "number": -7,
        "large": 2**63 - 1,
        "float": 0.1,
        "yes": True,
        "no": False,
        "nothing": None,
        "moment": MOMENT,
        "list": ["a", 1, 2.5, None, True, MOMENT, {"in": ["side", {"a": []}]}],
        "map": {"a": {"b": {"c": MOMENT}}, "none": {}},
        "odd names": {"a.b": 1, "`": 2, "\\": 3, "*": 4, "ключ": 5, "1": 6, "'": 7, '"': 8, "$.x": 9, "/": 10},
        "no list": [],
    }
    await store.commit([create(KEY, fields)])
    read = await fields_of(store)
    assert read == fields
    assert str(read["yes"]) == "True"
    assert isinstance(read["number"], int)
    assert isinstance(read["float"], float)


async def test_a_moment_of_another_zone_is_read_back_in_utc(store: Store) -> None:
    there = MOMENT.astimezone(tz=ZoneInfo("America/Sao_Paulo"))
    await store.commit([create(KEY, {"at": there})])
    read = (await fields_of(store) or {})["at"]
    assert (read, read.utcoffset()) == (MOMENT, timedelta(0))


async def test_get_answers_in_the_order_of_the_keys(store: Store) -> None:
    keys = [Key("messages", f"m{number}") for number in range(5)]
    await store.commit([create(key, {"n": key.id}) for key in keys])
    missing = Key("messages", "nobody")
    found = await store.get([keys[3], missing, keys[0], keys[3]])
    assert [document and document.key for document in found] == [keys[3], None, keys[0], keys[3]]
    assert [document and document.fields for document in found] == [{"n": "m3"}, None, {"n": "m0"}, {"n": "m3"}]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a/b/c", "/", "__name__", "x" * 1501, "\ud800"])
async def test_an_id_that_no_document_can_have_is_one_that_there_is_none_of(store: Store, name: str) -> None:
    await store.commit([create(KEY, {"n": 1})])
    assert [found and found.key for found in await store.get([Key(KEY.collection, name), KEY])] == [None, KEY]


async def test_getting_nothing_and_writing_nothing_is_fine(store: Store) -> None:
    assert await store.get([]) == []
    await store.commit([])


async def test_the_same_id_in_two_collections_is_two_documents(store: Store) -> None:
    await store.commit([create(Key("contacts", "x"), {"a": 1}), create(Key("lines", "x"), {"a": 2})])
    found = await store.get([Key("contacts", "x"), Key("lines", "x")])
    assert [document and document.fields["a"] for document in found] == [1, 2]


async def test_a_deleted_document_is_gone_and_deleting_it_again_is_fine(store: Store) -> None:
    await store.commit([create(KEY, {"a": 1})])
    await store.commit([delete(KEY)])
    await store.commit([delete(KEY)])
    assert await fields_of(store) is None
    await store.commit([create(KEY, {"b": 1})])
    assert await fields_of(store) == {"b": 1}


# All or nothing


async def test_a_refused_create_leaves_nothing_of_its_commit(store: Store) -> None:
    await store.commit([create(KEY, {"a": 1})])
    with pytest.raises(AlreadyExists):
        await store.commit(
            [create(OTHER, {"a": 2}), merge(Key("conversations", "c"), {"n": Increment(1)}), create(KEY, {"a": 3})]
        )
    assert await store.get([OTHER, Key("conversations", "c")]) == [None, None]
    assert await fields_of(store) == {"a": 1}


async def test_an_update_of_nothing_leaves_nothing_of_its_commit(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.commit([create(OTHER, {"a": 2}), update(KEY, {"a": 3})])
    assert await store.get([KEY, OTHER]) == [None, None]


async def test_an_unstorable_document_leaves_nothing_of_its_commit(store: Store) -> None:
    with pytest.raises(Unstorable):
        await store.commit([create(OTHER, {"a": 2}), create(KEY, {"a": "\ud800"})])
    assert await store.get([KEY, OTHER]) == [None, None]


async def test_a_stale_write_leaves_nothing_of_its_commit(store: Store) -> None:
    await store.commit([create(KEY, {"a": 1})])
    version = await version_of(store)
    await store.commit([merge(KEY, {"a": 2})])
    with pytest.raises(Stale):
        await store.commit([create(OTHER, {"a": 2}), update(KEY, {"a": 3}, version)])
    assert await fields_of(store, OTHER) is None
    assert await fields_of(store) == {"a": 2}


async def test_of_many_simultaneous_creates_one_wins(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(
            store.commit([create(KEY, {"winner": number}), create(Key("messages", f"own{number}"), {})])
            for number in range(20)
        ),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(refused) == 19
    assert {type(outcome) for outcome in refused} == {AlreadyExists}
    winner = outcomes.index(None)
    assert await fields_of(store) == {"winner": winner}
    own = await store.get([Key("messages", f"own{number}") for number in range(20)])
    assert [number for number, document in enumerate(own) if document] == [winner]


async def test_many_simultaneous_increments_all_count(store: Store) -> None:
    await asyncio.gather(*(store.commit([merge(KEY, {"count": Increment(1)})]) for _ in range(50)))
    assert await fields_of(store) == {"count": 50}


async def test_writes_of_one_commit_to_one_document_follow_each_other(store: Store) -> None:
    await store.commit(
        [
            create(KEY, {"a": 1, "b": {"c": 1}}),
            merge(KEY, {"a": Increment(5), "b": {"d": 2}}),
            merge(KEY, {"a": Increment(5), "b": {"c": REMOVE}}),
        ]
    )
    assert await fields_of(store) == {"a": 11, "b": {"d": 2}}


# Versions


async def test_a_version_grows_with_each_write(store: Store) -> None:
    versions = []
    for number in range(20):
        await store.commit([merge(KEY, {"a": number})])
        versions.append(await version_of(store))
    assert versions == sorted(set(versions))
    now = time.time() * 1e6
    assert now - 60e6 < versions[-1] < now + 60e6


async def test_a_write_that_changes_nothing_leaves_the_version(store: Store) -> None:
    await store.commit([create(KEY, {"a": 1, "rank": 5, "list": ["x"], "at": MOMENT, "m": {"a": 1.5}})])
    version = await version_of(store)
    same = {"a": 1, "rank": Maximum(3), "list": Union(("x",)), "at": MOMENT, "m": {"a": 1.5}, "gone": REMOVE}
    await store.commit([merge(KEY, same)])
    await store.commit([update(KEY, same)])
    assert await version_of(store) == version


async def test_an_update_at_the_version_that_was_read_succeeds_once(store: Store) -> None:
    await store.commit([create(KEY, {"lease": None})])
    version = await version_of(store)
    outcomes = await asyncio.gather(
        *(store.commit([update(KEY, {"lease": f"worker {number}"}, version)]) for number in range(10)),
        return_exceptions=True,
    )
    assert sorted(str(type(outcome).__name__) for outcome in outcomes) == ["NoneType"] + ["Stale"] * 9
    assert await fields_of(store) == {"lease": f"worker {outcomes.index(None)}"}


async def test_a_delete_at_an_old_version_is_refused(store: Store) -> None:
    await store.commit([create(KEY, {"a": 1})])
    version = await version_of(store)
    await store.commit([merge(KEY, {"a": 2})])
    with pytest.raises(Stale):
        await store.commit([delete(KEY, version)])
    await store.commit([delete(KEY, await version_of(store))])
    assert await fields_of(store) is None


async def test_what_is_missing_is_at_no_version(store: Store) -> None:
    for write in (update(KEY, {"a": 1}, 1_700_000_000_000_000), delete(KEY, 1_700_000_000_000_000)):
        with pytest.raises(Stale):
            await store.commit([write])
    assert await fields_of(store) is None


async def test_the_document_made_again_is_not_at_its_old_version(store: Store) -> None:
    await store.commit([create(KEY, {"a": 1})])
    version = await version_of(store)
    await store.commit([delete(KEY)])
    await store.commit([create(KEY, {"a": 1})])
    assert await version_of(store) > version


# Merging and transforms

MERGES: list[tuple[Any, Any, Any]] = [
    # before, change, after
    ({"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
    ({"m": {"a": 1, "b": {"c": 2}}}, {"m": {"b": {"d": 3}}}, {"m": {"a": 1, "b": {"c": 2, "d": 3}}}),
    ({"m": {"a": 1}}, {"m": {}}, {"m": {}}),
    ({"m": {"a": 1}}, {"m": 5}, {"m": 5}),
    ({"m": 5}, {"m": {"a": {"b": 1}}}, {"m": {"a": {"b": 1}}}),
    ({"m": [1, 2]}, {"m": [3]}, {"m": [3]}),
    ({"m": [1, 2]}, {"m": {"0": 3}}, {"m": {"0": 3}}),
    ({"a.b": 1, "a": {"b": 2}}, {"a": {"b": 3}}, {"a.b": 1, "a": {"b": 3}}),
    ({"a.b": 1, "a": {"b": 2}}, {"a.b": 4}, {"a.b": 4, "a": {"b": 2}}),
    ({"a": 1}, {"a": None}, {"a": None}),
    ({"a": 1, "b": 2}, {"a": REMOVE}, {"b": 2}),
    ({"m": {"a": 1}}, {"m": {"a": REMOVE}}, {"m": {}}),
    ({"b": 2}, {"m": {"a": REMOVE}}, {"b": 2}),
    ({"m": 5}, {"m": {"a": REMOVE}}, {"m": 5}),
    ({"m": 5}, {"m": {"a": REMOVE, "b": 1}}, {"m": {"b": 1}}),
    ({"a": 1}, {}, {"a": 1}),
]


@pytest.mark.parametrize(("before", "change", "after"), MERGES)
@pytest.mark.parametrize("kind", [merge, update])
async def test_fields_are_merged_deeply(store: Store, kind: Any, before: Any, change: Any, after: Any) -> None:
    await store.commit([create(KEY, before)])
    await store.commit([kind(KEY, change)])
    assert await fields_of(store) == after


async def test_a_merge_makes_the_document_that_is_missing(store: Store) -> None:
    await store.commit([merge(KEY, {"m": {"a": 1, "b": REMOVE}, "n": {"a": REMOVE}, "c": REMOVE})])
    assert await fields_of(store) == {"m": {"a": 1}}
    await store.commit([merge(OTHER, {})])
    assert await fields_of(store, OTHER) == {}


MISSING = object()
TRANSFORMS: list[tuple[Any, Any, Any]] = [
    # before, transform, after
    (MISSING, Increment(3), 3),
    (4, Increment(3), 7),
    (4, Increment(-5), -1),
    (0.5, Increment(1), 1.5),
    ("text", Increment(3), 3),
    (None, Increment(3), 3),
    (True, Increment(3), 3),
    (2**63 - 2, Increment(5), 2**63 - 1),
    (MISSING, Maximum(3), 3),
    (2, Maximum(3), 3),
    (4, Maximum(3), 4),
    (2, Maximum(2.5), 2.5),
    ("text", Maximum(3), 3),
    (True, Maximum(0), 0),
    (MISSING, Minimum(3), 3),
    (2, Minimum(3), 2),
    (4, Minimum(3), 3),
    (2.5, Minimum(2), 2),
    ([9], Minimum(3), 3),
    (MISSING, Union(("a", "a", "b")), ["a", "b"]),
    (["a"], Union(("b", "a")), ["a", "b"]),
    ("text", Union(("a",)), ["a"]),
    ([1, {"x": 1}], Union((1.0, True, {"x": 1}, {"x": 2}, None)), [1, {"x": 1}, True, {"x": 2}, None]),
    ([MOMENT], Union((MOMENT, MOMENT + timedelta(microseconds=1))), [MOMENT, MOMENT + timedelta(microseconds=1)]),
    (["a"], Union(()), ["a"]),
    (MISSING, Union(()), []),
]


@pytest.mark.parametrize(("before", "transform", "after"), TRANSFORMS)
async def test_a_transform_works_on_the_value_that_is_there(
    store: Store, before: Any, transform: Any, after: Any
) -> None:
    start: dict[str, Any] = {"other": 1, "m": {"other": 2, "deep": {}}}
    expected: dict[str, Any] = {"other": 1, "a": after, "m": {"other": 2, "a": after, "deep": {"a": after}}}
    if before is not MISSING:
        start |= {"a": before, "m": {"other": 2, "a": before, "deep": {"a": before}}}
    for key, kind in ((KEY, merge), (OTHER, update)):
        await store.commit([create(key, start)])
        await store.commit([kind(key, {"a": transform, "m": {"a": transform, "deep": {"a": transform}}})])
        assert await fields_of(store, key) == expected


@pytest.mark.parametrize("transform", [Increment(3), Maximum(3), Minimum(3), Union(("a",))])
async def test_a_transform_makes_the_document_that_is_missing(store: Store, transform: Any) -> None:
    after = ["a"] if isinstance(transform, Union) else 3
    for key, kind in ((KEY, merge), (OTHER, create)):
        await store.commit([kind(key, {"b": "text", "a": transform, "m": {"deep": {"a": transform}}})])
        assert await fields_of(store, key) == {"b": "text", "a": after, "m": {"deep": {"a": after}}}


async def test_now_is_the_time_of_the_commit(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=5)
    await store.commit([create(KEY, {"at": NOW, "m": {"at": NOW}}), merge(OTHER, {"at": NOW})])
    after = datetime.now(UTC) + timedelta(milliseconds=5)
    one, two = await fields_of(store) or {}, await fields_of(store, OTHER) or {}
    assert before <= one["at"] <= after
    assert one["at"] == one["m"]["at"] == two["at"]
    assert one["at"].timestamp() <= await version_of(store) / 1e6


async def test_statuses_end_the_same_in_every_order_and_however_often_they_come(store: Store) -> None:
    statuses = [("sent", 10, 1), ("delivered", 50, 3), ("read", 60, 4), ("failed", 40, 2)] * 2
    for number in range(5):
        shuffled = random.Random(number).sample(statuses, len(statuses))
        key = Key("messages", f"m{number}")
        await asyncio.gather(
            *(
                store.commit([merge(key, {"rank": Maximum(rank), "statuses": {name: Minimum(at)}})])
                for name, rank, at in shuffled
            )
        )
        expected = {"rank": 60, "statuses": {"sent": 1, "failed": 2, "delivered": 3, "read": 4}}
        assert await fields_of(store, key) == expected


# What no store takes


def nested(levels: int) -> dict[str, Any]:
    """A document of so many maps inside each other, itself counted."""
    fields: dict[str, Any] = {"a": 1}
    for _ in range(levels - 1):
        fields = {"a": fields}
    return fields


def nested_lists(levels: int) -> dict[str, Any]:
    value: Any = 1
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return {"a": value}


def sized(size: int) -> dict[str, Any]:
    """Fields that make `KEY` exactly so large. No single text may fill it."""
    half = "x" * (size // 2)
    rest = size - size_of(KEY, {"a": half, "b": ""})
    return {"a": half, "b": "y" * rest}


UNSTORABLE: dict[str, Any] = {
    "a lone surrogate": {"a": "\ud800"},
    "a lone surrogate in a list": {"a": ["\udfff"]},
    "a lone surrogate in a name": {"m": {"\ud800": 1}},
    "21 maps inside each other": nested(21),
    "21 maps and lists inside each other": nested_lists(21),
    "1,000 maps inside each other": nested(1000),
    "a list in a list": {"a": [[1]]},
    "more than 1 MiB": sized(MAX_BYTES + 1),
    "more than 4 MiB": {"a": "x" * (5 << 20)},
    "a number of 65 bits": {"a": 2**63},
    "infinity": {"a": math.inf},
    "not a number": {"a": math.nan},
    "an empty name": {"a": {"": 1}},
    "a reserved name": {"__a__": 1},
    "a name of 1,501 bytes": {"a" * 1501: 1},
    "a surrogate to be added to a list": {"a": Union(("\ud800",))},
}


@pytest.mark.parametrize("fields", UNSTORABLE.values(), ids=UNSTORABLE.keys())
@pytest.mark.parametrize("kind", [create, merge])
async def test_what_no_store_takes_is_refused(store: Store, kind: Any, fields: Mapping[str, Any]) -> None:
    with pytest.raises(Unstorable):
        await store.commit([kind(KEY, fields)])
    assert await fields_of(store) is None


STORABLE: dict[str, Any] = {
    "20 maps inside each other": nested(20),
    "20 maps and lists inside each other": nested_lists(20),
    "exactly 1 MiB": sized(MAX_BYTES),
    "a name of 1,500 bytes": {"a" * 1500: 1},
    "a name with underscores": {"__a": 1, "a__": 2, "_": 3},
}


@pytest.mark.parametrize("fields", STORABLE.values(), ids=STORABLE.keys())
async def test_what_is_just_within_the_limits_is_taken(store: Store, fields: Mapping[str, Any]) -> None:
    await store.commit([create(KEY, fields)])
    assert await fields_of(store) == fields


async def test_a_document_may_not_grow_too_large_by_merging(store: Store) -> None:
    await store.commit([create(KEY, {"a": "x" * 700_000})])
    with pytest.raises(Unstorable):
        await store.commit([merge(KEY, {"b": "x" * 400_000})])
    assert list(await fields_of(store) or {}) == ["a"]


@pytest.mark.parametrize(
    "writes",
    [
        [create(KEY, {"a": REMOVE})],
        [merge(KEY, {"a": [NOW]})],
        [merge(KEY, {"a": [{"b": REMOVE}]})],
        [merge(KEY, {"a": datetime(2026, 1, 1)})],
        [merge(KEY, {"a": object()})],
        [merge(KEY, {"a": 1}), update(KEY, {"a": 2}, 1)],
    ],
    ids=["removal in a create", "transform in a list", "removal in a list", "no zone", "object", "version twice"],
)
async def test_a_mistake_of_the_code_is_called_one(store: Store, writes: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        await store.commit(writes)


# A store that is not there


@pytest.mark.parametrize("writes", [[create(KEY, {"a": 1})], [merge(KEY, {"a": 1}), delete(OTHER)]])
async def test_a_dead_store_says_so_within_three_seconds(dead_store: Store, writes: Any) -> None:
    start = time.monotonic()
    outcomes = await asyncio.gather(*(dead_store.commit(writes) for _ in range(10)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert time.monotonic() - start < 3


# Queries. Every query has its index in `core.indexes`; these two shapes stand for all.


def thread(**options: Any) -> Query:
    return Query("messages", {"conversation": "c"}, "changed", **options)


def page(**options: Any) -> Query:
    return Query("messages", {"conversation": "c"}, "sort", descending=True, **options)


def ids(documents: list[Document]) -> list[str]:
    return [document.key.id for document in documents]


async def write_messages(store: Store, values: Mapping[str, Any], field: str = "changed") -> None:
    await store.commit(
        [create(Key("messages", name), {"conversation": "c", field: value}) for name, value in values.items()]
    )


async def test_a_query_finds_the_documents_with_the_values_in_order(store: Store) -> None:
    await write_messages(store, {"a": 3, "b": 1, "d": 2})
    await store.commit(
        [
            create(Key("messages", "other"), {"conversation": "d", "changed": 1}),
            create(Key("messages", "without"), {"conversation": "c"}),
            create(Key("messages", "null"), {"conversation": "c", "changed": None}),
            create(Key("events", "elsewhere"), {"conversation": "c", "changed": 1}),
        ]
    )
    assert ids(await store.query(thread())) == ["b", "d", "a"]
    assert ids(await store.query(thread(limit=2))) == ["b", "d"]
    found = (await store.query(thread()))[0]
    assert found == (await store.get([found.key]))[0]


async def test_a_query_backwards_leaves_out_the_same_documents(store: Store) -> None:
    await write_messages(store, {"a": "3", "b": "1", "d": "2"}, "sort")
    await write_messages(store, {"null": None}, "sort")
    await write_messages(store, {"without": 1}, "changed")
    assert ids(await store.query(page())) == ["a", "d", "b"]


async def test_documents_of_the_same_order_come_by_id(store: Store) -> None:
    await write_messages(store, {"d": 1, "a": 1, "c": 1, "b": 0})
    assert ids(await store.query(thread())) == ["b", "a", "c", "d"]
    await store.commit([merge(Key("messages", name), {"sort": "s"}) for name in "abcd"])
    assert ids(await store.query(page())) == ["d", "c", "b", "a"]


async def test_since_bounds_a_query_from_its_beginning(store: Store) -> None:
    moments = {name: MOMENT + timedelta(microseconds=number) for number, name in enumerate("abcd")}
    await write_messages(store, moments)
    assert ids(await store.query(thread(since=moments["b"]))) == ["b", "c", "d"]
    assert ids(await store.query(thread(since=moments["b"], limit=1))) == ["b"]
    await store.commit([merge(Key("messages", name), {"sort": name}) for name in "abcd"])
    assert ids(await store.query(page(since="c"))) == ["c", "b", "a"]


async def test_after_goes_on_behind_the_last_document_seen(store: Store) -> None:
    await write_messages(store, {"a": 1, "b": 1, "c": 1, "d": 2})
    assert ids(await store.query(thread(after=(1, "b")))) == ["c", "d"]
    assert ids(await store.query(thread(after=(1, "bb")))) == ["c", "d"]
    assert ids(await store.query(thread(since=1, after=(1, "c")))) == ["d"]
    assert ids(await store.query(thread(after=(2, "d")))) == []


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_give_every_document_once_whatever_the_ties(store: Store, descending: bool) -> None:
    query, field = (page, "sort") if descending else (thread, "changed")
    values = {f"m{number:02}": f"s{number // 5}" for number in range(23)}
    await write_messages(store, values, field)
    seen: list[str] = []
    after: tuple[Any, str] | None = None
    while documents := await store.query(query(limit=4, after=after)):
        seen += ids(documents)
        after = (documents[-1].fields[field], documents[-1].key.id)
    assert seen == sorted(values, reverse=descending)


async def test_text_is_ordered_by_its_bytes(store: Store) -> None:
    texts = ["", "A", "Z", "a", "a\x00", "aa", "b", "é", "\uffff", "😀"]
    await write_messages(store, {f"m{number}": text for number, text in enumerate(texts)})
    assert [document.fields["changed"] for document in await store.query(thread())] == texts


async def test_a_query_compares_what_a_field_may_hold(store: Store) -> None:
    values = {"text": "it's", "yes": True, "no": False, "number": 5, "moment": MOMENT}
    for name, value in values.items():
        await store.commit([create(Key("messages", name), {"waiting": value, "queued": 1})])
    for name, value in values.items():
        assert ids(await store.query(Query("messages", {"waiting": value}, "queued"))) == [name]


async def test_a_query_follows_a_change_at_once(store: Store) -> None:
    await write_messages(store, {"a": 1, "b": 2})
    await store.commit([merge(Key("messages", "a"), {"changed": 3}), delete(Key("messages", "b"))])
    assert ids(await store.query(thread())) == ["a"]
    await store.commit([merge(Key("messages", "a"), {"changed": REMOVE})])
    assert ids(await store.query(thread())) == []


async def test_a_query_without_a_declared_index_is_refused(store: Store) -> None:
    for query in (
        Query("messages", {"contact": "c"}, "sort"),
        Query("messages", {"conversation": "c"}, "changed", descending=True),
        Query("messages", {}, "sort"),
    ):
        with pytest.raises(LookupError, match=r"core\.indexes"):
            await store.query(query)


async def test_a_reader_who_looks_back_misses_no_commit_that_becomes_visible_late(store: Store) -> None:
    """The server sets `NOW` when a request begins, so a commit may appear behind a cursor that has passed it."""
    overlap = timedelta(seconds=15)
    seen: set[tuple[str, int]] = set()

    async def poll(cursor: datetime | None) -> tuple[list[str], datetime]:
        found = await store.query(thread(since=cursor and cursor - overlap))
        new = [document for document in found if (document.key.id, document.version) not in seen]
        seen.update((document.key.id, document.version) for document in found)
        return ids(new), max(document.fields["changed"] for document in found)

    await store.commit([create(Key("messages", name), {"conversation": "c", "changed": NOW}) for name in "ab"])
    news, cursor = await poll(None)
    assert news == ["a", "b"]
    late = cursor - timedelta(seconds=3)
    await store.commit([create(Key("messages", "late"), {"conversation": "c", "changed": late})])
    await store.commit([merge(Key("messages", "a"), {"changed": NOW, "rank": Maximum(30)})])
    news, cursor = await poll(cursor)
    assert news == ["late", "a"]
    news, cursor = await poll(cursor)
    assert news == []

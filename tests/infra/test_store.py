"""The emulator asks for no index and deletes nothing by itself, so the code's queries and Terraform's are compared."""

from collections.abc import Callable, Iterable

import pytest

from functions.core.indexes import EXPIRING, INDEXES, TTL_FIELD, Index, index_of
from functions.core.store import Query
from tests.infra import source
from tests.infra.module import Module


def indexes(module: Module) -> set[Index]:
    """Return the composite indexes that Terraform makes."""
    return {Index(**index | {"equal": tuple(index["equal"])}) for index in module.locals["indexes"]}


@pytest.mark.parametrize(("place", "query"), [*source.queries()])
def test_every_query_of_the_code_has_its_index(module: Module, place: str, query: Query) -> None:
    assert index_of(query) in indexes(module)


def test_terraform_makes_the_declared_indexes_and_no_other(module: Module) -> None:
    assert indexes(module) == set(INDEXES)


@pytest.mark.parametrize("index", INDEXES)
def test_an_index_that_is_taken_out_is_missed(changed: Callable[[str, str, str], Module], index: Index) -> None:
    equal = ", ".join(f'"{field}"' for field in index.equal)
    end = ", descending = true" if index.descending else ""
    row = f'    {{ collection = "{index.collection}", equal = [{equal}], order = "{index.order}"{end} }},\n'
    assert indexes(changed("firestore.tf", row, "")) == set(INDEXES) - {index}


def test_an_index_serves_equal_fields_then_the_order(module: Module) -> None:
    resource = module.resource("google_firestore_index", "query")
    equal, (order,) = resource["dynamic"][0]["fields"], resource["fields"]
    assert equal["for_each"] == "${each.value.equal}"
    assert equal["content"][0]["order"] == "ASCENDING"
    assert order["field_path"] == "${each.value.order}"


def test_no_two_indexes_share_a_name(module: Module) -> None:
    shapes = [(index["collection"], tuple(index["equal"]), index["order"]) for index in module.locals["indexes"]]
    assert len(set(shapes)) == len(shapes), "the name must tell the direction too"


def test_what_expires_has_its_policy(module: Module) -> None:
    policy = module.resource("google_firestore_field", "expiry")
    assert set(module.locals["expiring"]) == set(EXPIRING)
    assert policy["field"] == TTL_FIELD
    assert policy["for_each"] == "${toset(local.expiring)}"
    assert "ttl_config" in policy


def test_no_field_is_indexed_that_nobody_asks_by(module: Module) -> None:
    unindexed = module.resource("google_firestore_field", "unindexed")
    assert set(module.locals["collections"]) == source.collections()
    assert unindexed["field"] == "*"
    assert _is_empty(unindexed["index_config"])


def _is_empty(blocks: Iterable[dict[str, object]]) -> bool:
    return [{name for name in block if name != "__is_block__"} for block in blocks] == [set()]

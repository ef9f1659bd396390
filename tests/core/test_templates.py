"""Definitions as Meta writes them, and values that pass here and at a WhatsApp as strict as Meta, or at neither."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from functions.core import templates
from functions.core.template_values import Misfit, filled
from functions.core.templates import of_graph, parameters, unsendable
from functions.local.simulator.errors import GraphError
from functions.local.simulator.shapes import Template
from functions.local.simulator.templates import SEEDS
from functions.local.simulator.templates import filled as filled_by_meta

VALUES = st.text(st.sampled_from("aé👋 \n\t{}1"), max_size=12) | st.just("x" * 600)


def body(*values, names=()):
    named = [{"parameter_name": name} for name in names] or [{}] * len(values)
    given = [{"type": "text", "text": value, **more} for value, more in zip(values, named, strict=False)]
    return {"type": "body", "parameters": given}


def definition(text, *more, **fields):
    usual = {"id": "1", "name": "t", "language": "en_US", "status": "APPROVED", "category": "UTILITY"}
    usual |= {"parameter_format": "POSITIONAL"}
    return usual | {"components": [{"type": "BODY", "text": text}, *more]} | fields


def by_us(raw, components):
    try:
        return filled(of_graph(raw), components)
    except Misfit:
        return None


def by_meta(raw, components):
    sent = {"name": raw["name"], "language": {"code": raw["language"]}, "components": components}
    try:
        return filled_by_meta(raw, Template.model_validate(sent))
    except GraphError:
        return None


def test_the_examples_in_the_code_are_true():
    assert doctest.testmod(templates).failed == 0


@given(st.lists(VALUES, max_size=3))
def test_what_we_let_pass_meta_takes_and_shows_the_same(values):
    raw = definition("Hi {{1}}, it is {{2}}.")
    ours = by_us(raw, [body(*values)])
    if ours is not None:
        meta = by_meta(raw, ours.content["components"])
        assert meta is not None
        assert meta["body"] == ours.view["body"]


@given(st.lists(VALUES, max_size=3))
def test_what_meta_refuses_we_refuse_before(values):
    raw = definition("Hi {{1}}, it is {{2}}.")
    if by_meta(raw, [body(*values)]) is None:
        assert by_us(raw, [body(*values)]) is None


@given(st.permutations(["day", "time"]), st.lists(VALUES.filter(str.strip), min_size=2, max_size=2))
def test_named_values_are_the_same_in_any_order(names, values):
    raw = definition("On {{day}} at {{time}}.", parameter_format="NAMED")
    ours = by_us(raw, [body(*values, names=names)])
    turned = by_us(raw, [body(*reversed(values), names=[*reversed(names)])])
    assert (ours and ours.content) == (turned and turned.content)


def test_a_value_that_looks_like_a_variable_is_only_text():
    ours = by_us(definition("{{1}} and {{2}}!"), [body("{{2}}", "x")])
    assert ours is not None
    assert ours.view["body"] == "{{2}} and x!"


def test_numbers_count_in_their_own_order_wherever_they_stand():
    found = parameters(of_graph(definition("First {{2}}, then {{1}}, and {{10}}.")))
    assert [parameter.field for parameter in found] == ["body.1", "body.2", "body.10"]


def test_a_variable_that_stands_twice_is_given_once():
    ours = by_us(definition("{{1}}, yes, {{1}}!"), [body("Ana")])
    assert ours is not None
    assert ours.view["body"] == "Ana, yes, Ana!"


def test_every_template_of_the_simulator_is_understood():
    for seed in SEEDS:
        read = of_graph({"status": "APPROVED", **seed})
        assert (unsendable(read) is None) == (seed.get("status", "APPROVED") == "APPROVED")
        assert all(parameter.example for parameter in parameters(read) if seed["name"] == "appointment_reminder")


def test_meta_may_add_parts_that_nobody_knows():
    for odd in ({"type": "NOVELTY"}, {"type": "BUTTONS", "buttons": [{"type": "TELEPATHY"}]}):
        assert "can't be filled in" in str(unsendable(of_graph(definition("Hi", odd))))

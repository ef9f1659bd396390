from odoo.tests import TransactionCase

from ..tools.asked import fields_of, id_in, id_of, identifier_of, ids_of, line_of, text_of

NONE = (None, True, "1", 1.0, [1], {"id": 1}, 0, -1, 2**31, 10**30, float("nan"))


class TestAsked(TransactionCase):
    """Whatever a browser sends, a method gets what it takes, or what names nothing."""

    def test_an_id_is_a_number_that_a_column_holds(self):
        self.assertEqual([id_of(7), id_of(2**31 - 1)], [7, 2**31 - 1])
        self.assertEqual([id_of(value) for value in NONE], [0] * len(NONE))
        self.assertEqual(ids_of([1, *NONE, 2], 3), [1])
        self.assertEqual([ids_of(value, 9) for value in (None, "12", 7, {"a": 1})], [[]] * 4)

    def test_an_id_in_a_text_is_no_more_than_that(self):
        self.assertEqual(id_in("7"), 7)
        self.assertEqual([id_in(text) for text in ("", "-1", "1e3", "٣", "9" * 5000, "99999999999", None, 7)], [0] * 8)

    def test_an_identifier_is_one_or_none(self):
        self.assertEqual(identifier_of("conv-1"), "conv-1")
        self.assertEqual([identifier_of(value) for value in ("", "a\0", "a b", "x" * 513, 7, None, [])], [""] * 7)

    def test_a_text_can_be_stored(self):
        self.assertEqual(text_of("a\0b\ud800"), "ab?")
        self.assertEqual([text_of(value) for value in (None, 7, [], {})], [""] * 4)
        self.assertEqual(line_of("a\r\nERROR b\x1b[2J\0\u2028c"), "a ERROR b[2J c")
        self.assertEqual([fields_of({"a": 1}), fields_of([1])], [{"a": 1}, {}])

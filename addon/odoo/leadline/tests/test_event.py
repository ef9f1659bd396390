from datetime import datetime

from odoo.tests import BaseCase

from ..tools.event import EventRefused, event_id, read_event
from .common import PHONE, contact, conversation, event


class TestEvent(BaseCase):
    def test_an_event_is_read(self):
        found = read_event(event(conversation(version=1_800_000_000_000_001, received=3, read=1)))
        self.assertEqual(found.conversation.version, 1_800_000_000_000_001)
        self.assertEqual((found.conversation.received, found.conversation.read), (3, 1))
        self.assertEqual(found.conversation.last_in, datetime(2026, 11, 20, 10, 0, 0))
        self.assertEqual(found.conversation.contact.phones, (PHONE,))

    def test_times_of_other_zones_become_utc(self):
        found = read_event(event(conversation(last_in="2026-11-20T10:00:00-03:00")))
        self.assertEqual(found.conversation.last_in, datetime(2026, 11, 20, 13, 0, 0))

    def test_a_phone_and_all_its_forms_are_read_once_each(self):
        forms = ["+5511961234567", "+551161234567"]
        found = read_event(event(conversation(contact=contact(phone=forms[0], phone_variants=forms))))
        self.assertEqual(found.conversation.contact.phones, tuple(forms))

    def test_what_is_only_shown_never_costs_the_event(self):
        for strange in (None, 7, "\0", "\ud800", "line\nbreak", "x" * 10_000, {"first": "Ada"}):
            with self.subTest(strange):
                person = contact(name=strange, phone=strange, phone_variants=strange, username=strange)
                found = read_event(event(conversation(contact=person))).conversation.contact
                self.assertEqual(found.phones, ())
                self.assertLessEqual(len(found.name), 200)
                found.name.encode()
                self.assertNotIn("\0", found.name)
                self.assertNotIn("\n", found.name)

    def test_no_name_turns_the_sentence_around_in_which_it_stands(self):
        for written, shown in (
            ("Ada\u202e", "Ada"),
            ("\u2067\u05e2\u05d3\u05d4\u2069", "\u05e2\u05d3\u05d4"),
            ("👩\u200d💻", "👩\u200d💻"),
        ):
            found = read_event(event(conversation(contact=contact(name=written))))
            self.assertEqual(found.conversation.contact.name, shown)

    def test_somebody_without_a_name_is_shown_by_what_there_is(self):
        shown = [
            read_event(
                event(conversation(contact=contact(name=name, phone=phone, username=username)))
            ).conversation.contact.shown_name
            for name, phone, username in ((" ", PHONE, "ada"), ("", None, "ada"), ("", None, None))
        ]
        self.assertEqual(shown, [PHONE, "ada", ""])

    def test_what_decides_must_be_right(self):
        wrong = [
            None,
            [],
            "event",
            event(id="has space"),
            event(id=None),
            event(conversation=None, type="conversation.updated"),
            event(message={"id": 5}),
            event(type_="template.updated"),
            event(type=["message.received"]),
            event(conversation("conv/1")),
            event(conversation(version=None)),
            event(conversation(version=-1)),
            event(conversation(version=2**63)),
            event(conversation(received=True)),
            event(conversation(received=2**31)),
            event(conversation(read="0")),
            event(conversation(last_in="yesterday")),
            event(conversation(last_in="2026-11-20T10:00:00")),
            event(conversation(last_in=1_800_000_000)),
            event(conversation(merged_into="")),
            event(conversation(line=None)),
            event(conversation(contact=contact(identifier=""))),
        ]
        for raw in wrong:
            with self.subTest(raw), self.assertRaises(EventRefused):
                read_event(raw)

    def test_the_id_of_a_broken_event_is_still_found(self):
        self.assertEqual(event_id({"id": "event-1", "type": 3}), "event-1")
        for nameless in (None, [], {}, {"id": 5}, {"id": "a b"}):
            self.assertEqual(event_id(nameless), "")

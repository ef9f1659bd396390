from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Datetime
from odoo.tests import new_test_user

from .common import LeadlineCase


class TestCanned(LeadlineCase):
    def setUp(self):
        super().setUp()
        self.canned = self.env["mail.canned.response"]
        # Odoo brings some of its own.
        self.canned.search([]).unlink()
        self.colleague = new_test_user(self.env, "leadline_colleague", "sales_team.group_sale_salesman")

    def make(self, source, user=None, group=None):
        return self.canned.with_user(user or self.agent).create(
            {
                "source": source,
                "substitution": f"{source} in full",
                "group_ids": [(6, 0, self.env.ref(group).ids)] if group else False,
            }
        )

    def found(self, term, user=None):
        return [one["source"] for one in self.conversations.with_user(user or self.agent).chat_canned(term)]

    def test_a_shortcut_that_begins_with_the_term_stands_first(self):
        self.make("say hello")
        self.make("hello")
        self.make("opening hours")
        self.assertEqual(self.found("hel"), ["hello", "say hello"])
        self.assertEqual(set(self.found("")), {"hello", "say hello", "opening hours"})
        [first, _second] = self.conversations.with_user(self.agent).chat_canned("HEL")
        self.assertEqual(first["substitution"], "hello in full")

    def test_everybody_sees_their_own_and_those_of_their_groups(self):
        self.make("mine")
        self.make("theirs", self.colleague)
        self.make("sales", self.colleague, "sales_team.group_sale_salesman")
        self.make("technical", self.env.ref("base.user_admin"), "base.group_system")
        self.assertEqual(set(self.found("")), {"mine", "sales"})

    @freeze_time("2026-11-20 10:00:00")
    def test_what_was_sent_is_noted_as_used_and_only_of_ones_own(self):
        mine, shared = self.make("mine"), self.make("sales", self.colleague, "sales_team.group_sale_salesman")
        theirs = self.make("theirs", self.colleague)
        used = (mine + shared + theirs).ids
        self.conversations.with_user(self.agent).chat_canned_used(used)
        now = Datetime.now()
        self.assertEqual((mine.last_used, shared.last_used), (now, now))
        self.assertFalse(theirs.last_used)

    def test_only_agents_ask(self):
        for group in ("base.group_user", "base.group_portal"):
            user = new_test_user(self.env, f"leadline_{group[-6:]}", group)
            with self.subTest(group), self.assertRaises(AccessError):
                self.found("", user)

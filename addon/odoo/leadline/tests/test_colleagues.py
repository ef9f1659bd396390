from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import LeadlineCase


class TestColleagues(LeadlineCase):
    def setUp(self):
        super().setUp()
        self.row_ = self.met()
        self.lead = self.row_.lead_ids
        self.lead.user_id = self.agent
        self.reader = new_test_user(
            self.env,
            "leadline_reader",
            "sales_team.group_sale_salesman_all_leads",
            name="Rita Reader",
            notification_type="inbox",
        )
        self.stranger = new_test_user(self.env, "leadline_other", "sales_team.group_sale_salesman", name="Rob Other")
        self.clerk = new_test_user(self.env, "leadline_clerk", "base.group_user", name="Ron Clerk")

    def ask(self, method, *arguments, user=None, card=None, identifier="conv-1"):
        card = card or self.lead
        chat = self.conversations.with_user(user or self.agent)
        return getattr(chat, method)(card._name, card.id, identifier, *arguments)

    def notified(self, user):
        """Return what a user was notified of on the lead."""
        messages = self.env["mail.message"].search(
            [("message_type", "=", "user_notification"), ("notified_partner_ids", "in", user.partner_id.ids)]
        )
        return messages.filtered(lambda message: (message.model, message.res_id) == ("crm.lead", self.lead.id))

    # Who can be mentioned

    def test_only_colleagues_who_may_read_the_card_are_offered(self):
        offered = self.ask("chat_mentions", "R")
        names = [one["name"] for one in offered]
        self.assertIn("Rita Reader", names)
        self.assertNotIn("Rob Other", names)
        self.assertNotIn("Ron Clerk", names)
        self.assertEqual(
            next(one for one in offered if one["name"] == "Rita Reader"),
            {"id": self.reader.id, "partner_id": self.reader.partner_id.id, "name": "Rita Reader", "why": ""},
        )

    def test_nobody_is_offered_themselves(self):
        names = [one["id"] for one in self.ask("chat_mentions", "", user=self.reader)]
        self.assertIn(self.agent.id, names)
        self.assertNotIn(self.reader.id, names)

    def test_for_an_invitation_others_are_shown_with_the_reason(self):
        found = {one["name"]: one["why"] for one in self.ask("chat_mentions", "R", True)}
        self.assertEqual(found["Rita Reader"], "")
        self.assertIn("Make them its salesperson", found["Rob Other"])
        self.assertIn("no WhatsApp agent", found["Ron Clerk"])

    def test_a_colleague_of_another_company_is_not_offered(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        new_test_user(
            self.env,
            "leadline_elsewhere",
            "sales_team.group_sale_manager",
            name="Ruth Elsewhere",
            company_id=elsewhere.id,
            company_ids=[(6, 0, elsewhere.ids)],
        )
        self.lead.company_id = False
        found = {one["name"]: one["why"] for one in self.ask("chat_mentions", "Ruth", True)}
        self.assertIn("may not work in", found["Ruth Elsewhere"])
        self.assertEqual(self.ask("chat_mentions", "Ruth"), [])

    # Mentions

    def test_who_is_mentioned_is_told_once_and_not_what_the_note_says(self):
        people = [self.reader.partner_id.id]
        self.assertEqual(self.ask("chat_note_alert", "note-1", people), [])
        self.assertEqual(self.ask("chat_note_alert", "note-1", people), [])
        told = self.notified(self.reader)
        self.assertEqual(len(told), 1)
        self.assertEqual(told.author_id, self.agent.partner_id)
        self.assertIn("mentioned you", told.subject)
        self.ask("chat_note_alert", "note-2", people)
        self.assertEqual(len(self.notified(self.reader)), 2)
        mentions = self.env["leadline.mention"].search([("user_id", "=", self.reader.id)])
        self.assertEqual(mentions.mapped("message"), ["note-1", "note-2"])

    def test_who_may_not_read_the_card_is_not_told_and_is_named(self):
        customer = self.env["res.partner"].create({"name": "Customer"})
        people = [self.stranger.partner_id.id, customer.id]
        self.assertEqual(self.ask("chat_note_alert", "note-1", people), ["Rob Other"])
        self.assertFalse(self.notified(self.stranger))
        self.assertFalse(self.env["leadline.mention"].search([]))

    def test_a_mention_from_the_inbox_leads_to_the_conversation(self):
        self.row_.user_id = self.agent
        people = [self.reader.partner_id.id]
        self.ask("chat_note_alert", "note-1", people, card=self.row_)
        told = self.env["mail.message"].search([("model", "=", "leadline.conversation")])
        self.assertEqual(told.res_id, self.row_.id)
        self.assertEqual(told.notified_partner_ids, self.reader.partner_id)

    # Invitations

    def test_who_is_invited_follows_the_card_and_is_told(self):
        self.assertEqual(self.ask("chat_invite", self.reader.id), {"name": "Rita Reader", "follows": True})
        self.assertIn(self.reader.partner_id, self.lead.message_partner_ids)
        self.assertIn("asks you to join", self.notified(self.reader).subject)

    def test_who_may_only_read_the_card_invites_without_changing_it(self):
        partner = self.env["res.partner"].create({"name": "Ada", "user_id": self.agent.id})
        self.row_.partner_id = partner
        viewer = new_test_user(self.env, "leadline_viewer", "base.group_user,leadline.group_agent")
        answer = self.ask("chat_invite", self.reader.id, user=viewer, card=partner)
        self.assertEqual(answer, {"name": "Rita Reader", "follows": False})
        self.assertNotIn(self.reader.partner_id, partner.message_partner_ids)

    def test_who_may_not_read_the_card_is_not_invited(self):
        with self.assertRaisesRegex(UserError, "Make them its salesperson"):
            self.ask("chat_invite", self.stranger.id)
        with self.assertRaisesRegex(UserError, "no WhatsApp agent"):
            self.ask("chat_invite", self.clerk.id)
        self.assertFalse(self.notified(self.stranger))

    def test_a_portal_user_is_no_colleague(self):
        portal = new_test_user(self.env, "leadline_portal", "base.group_portal", name="Rex Portal")
        self.assertEqual(self.ask("chat_mentions", "Rex", True), [])
        with self.assertRaises(UserError):
            self.ask("chat_invite", portal.id)

    # Whose card it is

    def test_nobody_asks_on_a_card_that_they_may_not_read(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        outsider = new_test_user(
            self.env,
            "leadline_outsider",
            "sales_team.group_sale_manager",
            company_id=elsewhere.id,
            company_ids=[(6, 0, elsewhere.ids)],
        )
        portal = new_test_user(self.env, "leadline_portal", "base.group_portal")
        for user in (self.stranger, self.clerk, outsider, portal):
            for method, arguments in (
                ("chat_mentions", [""]),
                ("chat_note_alert", ["note-1", [self.reader.partner_id.id]]),
                ("chat_invite", [self.reader.id]),
            ):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    self.ask(method, *arguments, user=user)

    def test_a_conversation_of_another_card_is_refused(self):
        other = self.env["crm.lead"].create({"name": "Other", "user_id": self.agent.id})
        with self.assertRaisesRegex(AccessError, "does not belong to this card"):
            self.ask("chat_mentions", "", card=other)

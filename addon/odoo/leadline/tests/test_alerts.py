import json
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import PHONE, LeadlineCase, contact, conversation, event


class TestAlerts(LeadlineCase):
    def sent(self):
        """Return what was put on the bus since the last look, as (channel, message) pairs."""
        self.env.cr.precommit.run()
        rows = self.env["bus.bus"].search([("id", ">", self.seen)], order="id")
        self.seen = rows[-1:].id or self.seen
        return [(json.loads(row.channel), json.loads(row.message)) for row in rows]

    def alerts(self):
        return [(channel, sent) for channel, sent in self.sent() if sent["type"] == "leadline/conversation"]

    def setUp(self):
        super().setUp()
        self.seen = 0
        self.sent()

    def notices(self):
        """Return what the agent was notified of, once the scheduled action has run."""
        self.env["leadline.notice"]._cron_give()
        return self.env["mail.message"].search(
            [
                ("message_type", "=", "user_notification"),
                ("notified_partner_ids", "in", self.agent.partner_id.ids),
                ("subject", "ilike", "WhatsApp"),
            ]
        )

    def owned(self, about=None):
        self.team.user_id = self.agent
        return self.met(about)

    def test_agents_are_told_ids_and_counts_only(self):
        told = event()
        self.apply(told)
        group = self.env.ref("leadline.group_agent")
        [(channel, alert)] = self.alerts()
        self.assertEqual(channel, [self.env.cr.dbname, "res.groups", group.id])
        self.assertEqual(
            alert["payload"],
            {
                "conversation": "conv-1",
                "message": told["message"]["id"],
                "event": "message.received",
                "unread": 1,
                "version": 1,
                "ring": True,
            },
        )

    def test_pages_ring_once_until_what_was_written_has_been_read(self):
        self.apply(*(event(conversation(version=number, received=number)) for number in (1, 2, 3)))
        self.apply(event(conversation(version=4, received=3, read=3), "conversation.updated"))
        self.apply(*(event(conversation(version=number, received=number - 1, read=3)) for number in (5, 6)))
        rung = [alert["payload"]["version"] for _channel, alert in self.alerts() if alert["payload"].get("ring")]
        self.assertEqual(rung, [1, 5])

    def test_nothing_of_ours_on_the_bus_names_the_customer(self):
        self.apply(event(), event(conversation(version=2, received=2)))
        texts = json.dumps(self.alerts())
        for private in ("Ada", "Example", PHONE, PHONE[1:]):
            self.assertNotIn(private, texts)

    def test_every_event_that_applies_is_told_and_no_other(self):
        self.apply(event(), {"id": "bad"}, event(conversation(version=2, read=1), "message.status"))
        self.assertEqual(
            [alert["payload"]["event"] for _channel, alert in self.alerts()], ["message.received", "message.status"]
        )

    def test_the_owner_is_notified_once_until_the_burst_is_read(self):
        row = self.owned()
        self.assertEqual(self.notices().mapped("subject"), ["You have been assigned to WhatsApp: Ada Example"])
        for received in (2, 3, 4):
            self.apply(event(conversation(version=received, received=received)))
        self.assertEqual(len(self.notices()), 1, "CRM has told them of the lead")
        self.apply(event(conversation(version=5, received=4, read=4), "conversation.updated"))
        for received in (5, 6):
            self.apply(event(conversation(version=received + 1, received=received, read=4)))
        self.assertEqual(len(self.notices()), 2)
        self.assertEqual(row.alerted_count, 5)

    def test_the_notice_names_the_lead_and_leads_to_it(self):
        row = self.owned(conversation(read=1))
        self.apply(event(conversation(version=2, received=2, read=1)))
        notice = self.notices().filtered(lambda found: found.subject == "New WhatsApp message")
        self.assertIn("WhatsApp: Ada Example", notice.body)
        self.assertEqual((notice.model, notice.res_id), ("crm.lead", row.lead_ids.id))

    def test_the_owner_of_a_known_contact_is_notified(self):
        partner = self.env["res.partner"].create({"name": "Known", "phone": PHONE, "user_id": self.agent.id})
        self.met()
        self.assertEqual((self.notices().model, self.notices().res_id), ("res.partner", partner.id))

    def test_what_was_read_already_or_sent_by_us_notifies_nobody(self):
        self.owned(conversation(received=1, read=1))
        self.apply(event(conversation(version=2, received=2, read=2)))
        self.apply(event(conversation(version=3, received=3, read=2), "message.sent"))
        self.assertEqual(len(self.notices()), 1, "only CRM's notice of the lead")

    def test_what_was_read_before_the_notice_came_needs_none(self):
        self.owned(conversation(read=1))
        self.apply(event(conversation(version=2, received=2, read=1)))
        self.assertTrue(self.env["leadline.notice"].search([]), "the message does not wait for it")
        self.apply(event(conversation(version=3, received=2, read=2), "conversation.updated"))
        self.assertEqual(len(self.notices()), 1, "only CRM's notice of the lead")
        self.assertFalse(self.env["leadline.notice"].search([]))

    def test_the_owner_is_notified_on_a_card_that_they_may_open(self):
        row = self.owned(conversation(read=1))
        row.lead_ids.user_id = new_test_user(self.env, "leadline_other", "sales_team.group_sale_salesman")
        row.user_id = self.agent
        self.apply(event(conversation(version=2, received=2, read=1)))
        notice = self.notices().filtered(lambda found: found.subject == "New WhatsApp message")
        self.assertEqual((notice.model, notice.res_id), ("res.partner", row.partner_id.id))

    def test_a_fault_in_one_notice_keeps_no_other_from_being_given(self):
        one = self.owned(conversation(read=1))
        self.owned(conversation("conv-2", read=1, contact=contact("contact-2", phone="+12025550144")))
        self.notices()
        self.apply(event(conversation(version=2, received=2, read=1)))
        self.apply(event(conversation("conv-2", version=2, received=2, read=1)))
        tell = type(one)._tell_owner

        def faulty(row, about):
            if row == one:
                raise KeyError("a fault of another module")
            tell(row, about)

        with patch.object(type(one), "_tell_owner", faulty), mute_logger("odoo.addons.leadline.tools.edge"):
            given = self.notices().filtered(lambda found: found.subject == "New WhatsApp message")
        self.assertEqual(given.res_id, self.row("conv-2").lead_ids.id)
        self.assertFalse(self.env["leadline.notice"].search([]), "what can't be given is not tried for ever")

    def test_without_owner_nobody_is_notified_but_open_tabs_are(self):
        self.met()
        self.assertFalse(self.notices())
        self.assertEqual(len(self.alerts()), 1)

    def reaction(self, version, **changed):
        told = event(conversation(version=version, read=1, **changed), "message.changed")
        told["message"]["what"] = "reaction"
        return told

    def reactions(self):
        return self.notices().filtered(lambda found: found.subject == "Reaction on WhatsApp")

    def test_the_owner_is_notified_of_a_customers_reaction_though_nothing_is_unread(self):
        row = self.owned(conversation(read=1))
        self.apply(self.reaction(2))
        self.assertEqual((self.reactions().model, self.reactions().res_id), ("crm.lead", row.lead_ids.id))
        self.assertIn("WhatsApp: Ada Example", self.reactions().body)
        self.assertEqual(row.unread_count, 0)

    def test_a_reaction_told_again_or_soon_after_another_notifies_nobody_twice(self):
        row = self.owned(conversation(read=1))
        told = self.reaction(2)
        self.apply(told)
        self.apply(told)
        self.apply(self.reaction(3))
        self.assertEqual(len(self.reactions()), 1)
        row.reaction_alerted_at -= timedelta(hours=1)
        self.apply(told)
        self.assertEqual(len(self.reactions()), 1, "told again")
        self.apply(self.reaction(4))
        self.assertEqual(len(self.reactions()), 2)

    def test_an_edit_or_a_reaction_of_ours_notifies_nobody(self):
        self.owned(conversation(read=1))
        edit = self.reaction(2)
        edit["message"]["what"] = "edited"
        self.apply(edit)
        # What we do to a message leaves the conversation as it is.
        self.apply(self.reaction(2))
        self.assertFalse(self.reactions())

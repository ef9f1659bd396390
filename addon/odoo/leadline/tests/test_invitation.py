import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import PHONE, LeadlineCase, contact, conversation, event, line

MESSAGE = {"client_id": "client-1", "type": "template", "template": {"name": "hello", "language": {"code": "en"}}}


class TestInvitation(LeadlineCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.partner = self.env["res.partner"].create({"name": "Ada Example", "phone": PHONE, "lang": "en_US"})
        self.lead = self.env["crm.lead"].create(
            {"name": "Bicycle", "partner_id": self.partner.id, "user_id": self.agent.id, "type": "lead"}
        )
        self.answer({"conversation": conversation("conv-9", received=0), "message": {"id": "msg-1"}}, 202)

    def answer(self, document, status=200):
        self.service.answer = status, json.dumps(document).encode()

    def offer(self, card=None):
        card = card or self.lead
        return self.conversations.with_user(self.agent).chat_open(card._name, card.id)["invitation"]

    def start(self, card=None, user=None, line_identifier="line-test"):
        card = card or self.lead
        chat = self.conversations.with_user(user or self.agent)
        return chat.chat_start(card._name, card.id, line_identifier, MESSAGE)

    def test_a_file_for_the_first_message_is_announced_for_the_line(self):
        file = {"type": "image", "filename": "sofa.png", "mime": "image/png", "size": 70, "conversation": "conv-1"}
        self.answer(
            {"id": "upload-1", "upload": {"method": "PUT", "url": "https://files.example/x", "headers": {}}}, 201
        )
        chat = self.conversations.with_user(self.agent)
        answer = chat.chat_start_upload("crm.lead", self.lead.id, "line-test", file)
        self.assertEqual(answer["id"], "upload-1")
        [(method, path, _connection, body)] = self.service.calls
        self.assertEqual((method, path), ("POST", "/base/chat/v1/media"))
        del file["conversation"]
        self.assertEqual(json.loads(body), {"line": "line-test"} | file)
        self.answer({"code": "file_type", "detail": "WhatsApp takes JPEG or PNG."}, 422)
        refused = chat.chat_start_upload("crm.lead", self.lead.id, "line-test", file)["refused"]
        self.assertEqual(refused["code"], "file_type")

    def test_nobody_announces_a_file_for_a_card_that_they_may_not_write_from(self):
        stranger = new_test_user(self.env, "leadline_stranger", "sales_team.group_sale_salesman")
        for user in (stranger, new_test_user(self.env, "leadline_portal", "base.group_portal")):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.conversations.with_user(user).chat_start_upload("crm.lead", self.lead.id, "line-test", {})
        self.lead.partner_id.phone = self.lead.phone = False
        with self.assertRaises(UserError):
            self.conversations.with_user(self.agent).chat_start_upload("crm.lead", self.lead.id, "line-test", {})
        self.assertEqual(self.service.calls, [])

    def test_a_card_without_conversation_offers_to_write_first(self):
        self.assertEqual(
            self.offer(),
            {
                "lines": [{"id": "line-test", "name": "Shop", "number": "", "opt_in": True, "held": False}],
                "phone": PHONE,
                "name": "Ada Example",
                "language": "en_US",
                "refused": None,
                "consent": {"marketing": None, "agreed": False, "stopped": False},
            },
        )

    def test_a_template_begins_a_conversation_that_both_cards_show_at_once(self):
        begun = self.start()["conversation"]
        self.assertEqual((begun["id"], begun["line"]["id"]), ("conv-9", "line-test"))
        [(method, path, _connection, body)] = self.service.calls
        self.assertEqual((method, path), ("POST", "/base/chat/v1/conversations"))
        self.assertEqual(
            json.loads(body),
            {
                "line": "line-test",
                "to": {"phone": PHONE},
                "name": "Ada Example",
                "message": MESSAGE,
                "author": {"kind": "agent", "id": str(self.agent.id), "name": self.agent.name},
            },
        )
        for card in (self.lead, self.partner):
            [shown] = self.conversations.with_user(self.agent).chat_open(card._name, card.id)["conversations"]
            self.assertEqual(shown["id"], "conv-9")
        self.assertTrue(self.conversations.with_user(self.agent).chat_grant("crm.lead", self.lead.id, "conv-9"))

    def test_the_events_that_follow_keep_to_the_row_and_make_no_second_lead(self):
        self.start()
        row = self.row("conv-9")
        self.assertEqual((row.lead_ids, row.partner_id, row.user_id), (self.lead, self.partner, self.agent))
        self.apply(event(conversation("conv-9", version=2, received=0), "message.sent"))
        self.apply(event(conversation("conv-9", version=3, received=1)))
        self.assertEqual((row.lead_ids, row.received_count, row.state), (self.lead, 1, "waiting"))
        self.assertEqual(self.conversations.search_count([]), 1)

    def test_the_row_that_the_events_made_first_is_linked_to_the_card(self):
        stranger = contact("contact-1", phone=None, name="Somebody")
        self.apply(event(conversation("conv-9", received=0, contact=stranger), "message.sent"))
        row = self.row("conv-9")
        self.assertFalse(row.lead_ids)
        self.start()
        self.assertEqual((row.lead_ids, row.partner_id), (self.lead, self.partner))

    def test_starting_twice_is_harmless(self):
        self.assertEqual(self.start(), self.start())
        self.assertEqual(self.conversations.search_count([]), 1)

    def test_who_hides_the_number_is_reached_on_another_line_through_their_conversation(self):
        hidden = contact("contact-7", phone=None, wa_id=None, bsuid="US.123")
        about = conversation("conv-7", line=line("line-2"), contact=hidden)
        row = self.met(about)
        row.lead_ids.user_id = self.agent
        self.assertFalse(row.lead_ids.phone)
        self.start(row.lead_ids)
        self.assertEqual(json.loads(self.service.calls[-1][3])["to"], {"conversation": "conv-7"})

    def test_what_stands_in_the_way_is_said_before_anything_is_sent(self):
        silent = self.env["crm.lead"].create({"name": "No phone", "user_id": self.agent.id})
        wrong = self.env["crm.lead"].create({"name": "Wrong", "user_id": self.agent.id, "phone": "12 34"})
        listed = self.env["crm.lead"].create({"name": "No", "user_id": self.agent.id, "phone": "+12025550177"})
        self.env["phone.blacklist"].sudo().add("+12025550177")
        for card, words in ((silent, "no phone number"), (wrong, "12 34 is no valid"), (listed, "blacklist")):
            with self.subTest(words):
                self.assertIn(words, self.offer(card)["refused"])
                with self.assertRaisesRegex(UserError, words):
                    self.start(card)
        self.assertFalse(self.service.calls)
        self.line.active = False
        self.assertIn("no WhatsApp number yet", self.offer()["refused"])

    def test_a_refusal_of_the_service_comes_back_with_its_fields(self):
        problem = {
            "status": 422,
            "code": "template_invalid",
            "detail": "The template needs a name.",
            "errors": [{"field": "body.1", "message": "Write the name."}],
        }
        self.answer(problem, 422)
        self.assertEqual(self.start(), {"refused": problem})
        self.assertFalse(self.conversations.search([]))

    def test_a_service_that_fails_leaves_nothing(self):
        self.answer({}, 500)
        with self.assertRaisesRegex(UserError, "answered with an error"):
            self.start()
        self.assertFalse(self.conversations.search([]))

    def test_only_who_may_write_to_the_customer_starts(self):
        colleague = new_test_user(self.env, "leadline_other", "sales_team.group_sale_salesman")
        with self.assertRaises(AccessError):
            self.start(user=colleague)
        self.env["ir.rule"].create(
            {
                "name": "Leads are read only",
                "model_id": self.env.ref("crm.model_crm_lead").id,
                "domain_force": f"[('id', '!=', {self.lead.id})]",
                "perm_read": False,
            }
        )
        with self.assertRaisesRegex(AccessError, "not write"):
            self.start()
        self.assertIn("not write", self.offer()["refused"])
        self.assertFalse(self.service.calls)

    def test_lines_of_other_companies_are_not_offered(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.line.company_id = elsewhere
        self.assertEqual(self.offer()["lines"], [])
        with self.assertRaises(AccessError):
            self.start()

    def test_templates_of_a_line_are_asked_for_in_the_agents_name(self):
        self.answer({"items": [{"name": "hello"}], "next": "n1"})
        chat = self.conversations.with_user(self.agent)
        found = chat.chat_templates("crm.lead", self.lead.id, "line-test", "c 1")
        self.assertEqual(found, {"items": [{"name": "hello"}], "next": "n1"})
        self.assertEqual(self.service.calls[0][1], "/base/chat/v1/templates?line=line-test&limit=100&after=c+1")
        with self.assertRaises(AccessError):
            chat.chat_templates("crm.lead", self.lead.id, "line-9")

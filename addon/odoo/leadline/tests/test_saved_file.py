import json

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import LeadlineCase

PDF = b"%PDF-1.4 an offer"


class TestSavedFile(LeadlineCase):
    def setUp(self):
        super().setUp()
        self.row_ = self.met()
        self.lead = self.row_.lead_ids
        self.lead.user_id = self.agent

    def save(self, message="msg-1", *, user=None, card=None, identifier="conv-1", **file):
        card = card or self.lead
        file = {"name": "offer.pdf", "mimetype": "application/pdf", "raw": PDF} | file
        conversations = self.conversations.with_user(user or self.agent)
        return conversations._save_file(card._name, card.id, identifier, message, **file)

    def test_a_file_is_kept_with_the_card_under_its_name_and_type(self):
        saved = self.save()
        self.assertEqual((saved.res_model, saved.res_id), ("crm.lead", self.lead.id))
        self.assertEqual((saved.name, saved.mimetype, saved.raw), ("offer.pdf", "application/pdf", PDF))
        self.assertFalse(saved.public)

    def test_saving_it_again_is_the_same_attachment_until_somebody_deletes_it(self):
        first = self.save()
        self.assertEqual(self.save(name="other.pdf"), first)
        self.assertNotEqual(self.save("msg-2"), first)
        first.unlink()
        self.assertTrue(self.save().exists())

    def test_lead_and_contact_keep_it_each(self):
        partner = self.env["res.partner"].create({"name": "Ada", "user_id": self.agent.id})
        self.lead.partner_id = self.row_.partner_id = partner
        manager = new_test_user(
            self.env, "leadline_manager", "sales_team.group_sale_manager,base.group_partner_manager"
        )
        on_lead, on_partner = self.save(), self.save(card=partner, user=manager)
        self.assertEqual((on_partner.res_model, on_partner.res_id), ("res.partner", partner.id))
        self.assertNotEqual(on_lead, on_partner)

    def test_from_the_inbox_it_goes_to_the_lead(self):
        saved = self.save(card=self.row_)
        self.assertEqual((saved.res_model, saved.res_id), ("crm.lead", self.lead.id))

    def test_names_of_strangers_are_one_line_without_folders(self):
        for name, mimetype, kept in (
            ("../../etc/passwd", "text/plain", "passwd.txt"),
            ("a\nb\r\n.pdf", "application/pdf", "ab.pdf"),
            ("", "image/jpeg", "file.jpg"),
            ("voice", "audio/ogg; codecs=opus", "voice.ogg"),
            ("x" * 400 + ".pdf", "application/pdf", "x" * 200 + ".pdf"),
        ):
            with self.subTest(name=name[:20]):
                number = self.env["ir.attachment"].search_count([("leadline_message", "!=", False)])
                self.assertEqual(self.save(f"msg-{number}", name=name, mimetype=mimetype).name, kept)

    def test_a_page_of_a_stranger_is_kept_as_text(self):
        saved = self.save(name="page.html", mimetype="text/html", raw=b"<script>alert(1)</script>")
        self.assertEqual(saved.mimetype, "text/plain")

    def test_nothing_and_no_message_can_be_saved(self):
        for wrong in ({"raw": b""}, {"message": ""}, {"message": "../x"}):
            with self.subTest(wrong), self.assertRaises(UserError):
                self.save(**wrong)

    def test_only_who_may_change_the_card_saves_files_with_it(self):
        partner = self.env["res.partner"].create({"name": "Ada", "user_id": self.agent.id})
        self.row_.partner_id = partner
        viewer = new_test_user(self.env, "leadline_viewer", "base.group_user,leadline.group_agent")
        with self.assertRaisesRegex(AccessError, "not save files"):
            self.save(user=viewer, card=partner)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        for login, groups, more in (
            ("leadline_stranger", "sales_team.group_sale_salesman", {}),
            ("leadline_clerk", "base.group_user", {}),
            ("leadline_portal", "base.group_portal", {}),
            (
                "leadline_outsider",
                "sales_team.group_sale_manager",
                {"company_id": elsewhere.id, "company_ids": [(6, 0, elsewhere.ids)]},
            ),
        ):
            user = new_test_user(self.env, login, groups, **more)
            with self.subTest(login), self.assertRaises(AccessError):
                self.save(user=user)
        self.assertFalse(self.env["ir.attachment"].search([("leadline_message", "!=", False)]))

    def test_a_conversation_of_another_card_is_refused(self):
        other = self.env["crm.lead"].create({"name": "Other", "user_id": self.agent.id})
        with self.assertRaises(AccessError):
            self.save(card=other)


@tagged("post_install", "-at_install")
class TestSavedFileRoute(LeadlineCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.lead = self.met().lead_ids
        self.lead.user_id = self.agent

    def post(self, res_id=None, csrf=True, **file):
        values = {
            "res_model": "crm.lead",
            "res_id": res_id or self.lead.id,
            "conversation": "conv-1",
            "message": "msg-1",
        }
        if csrf:
            values["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open("/leadline/file", data=values, files={"ufile": ("offer.pdf", PDF, "application/pdf")})

    def test_the_browser_brings_a_file_and_gets_what_the_chatter_shows(self):
        self.authenticate("leadline_agent", "leadline_agent")
        answer = self.post()
        self.assertEqual(answer.status_code, 200)
        saved = self.env["ir.attachment"].browse(answer.json()["id"])
        self.assertEqual((saved.res_id, saved.raw, saved.mimetype), (self.lead.id, PDF, "application/pdf"))
        [shown] = answer.json()["store"]["ir.attachment"]
        self.assertEqual(shown["thread"], {"id": self.lead.id, "model": "crm.lead"})
        self.assertEqual(self.post().json()["id"], saved.id)

    def test_a_refusal_is_a_sentence(self):
        self.authenticate("leadline_agent", "leadline_agent")
        other = self.env["crm.lead"].create({"name": "Other", "user_id": self.agent.id})
        answer = self.post(other.id)
        self.assertEqual(answer.status_code, 422)
        self.assertIn("does not belong to this card", json.loads(answer.text)["error"])

    def test_no_other_page_can_post_here(self):
        self.authenticate("leadline_agent", "leadline_agent")
        with self.assertLogs("odoo.http", "WARNING"):
            self.assertEqual(self.post(csrf=False).status_code, 400)
        self.assertFalse(self.env["ir.attachment"].search([("leadline_message", "!=", False)]))

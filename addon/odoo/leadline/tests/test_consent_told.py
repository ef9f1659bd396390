import json
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from ..models import leadline_consent_telling
from .common import LeadlineCase, contact, conversation
from .test_consent import said

NOT_FOUND = 404, b'{"code": "not_found", "detail": "There is no such conversation."}'


class TestConsentTold(LeadlineCase):
    """What is recorded here reaches the service, which is what keeps marketing back."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.service.answer = 200, b"{}"
        self.partner = self.met().partner_id
        self.waiting().unlink()

    def waiting(self):
        return self.env["leadline.consent.telling"].search([])

    def told(self):
        """Return what the service was told of whom, without the times."""
        calls = [(path, json.loads(body)) for method, path, _, body in self.service.calls if path.endswith("/consent")]
        return [(path.split("/")[-2], body["value"], body["source"]) for path, body in calls]

    def record(self, partner=None, **values):
        values = {"partner_id": (partner or self.partner).id, "way": "form", "evidence": "Signed form"} | values
        return self.env["leadline.consent"].with_user(self.agent).create(values)

    def test_consent_that_an_agent_records_is_told_at_once(self):
        self.record()
        self.assertEqual(self.told(), [("conv-1", "resume", "crm")])
        self.record(state="withdrawn", at="2026-11-21 10:00:00")
        self.assertEqual(self.told()[1:], [("conv-1", "stop", "crm")])
        [call] = [json.loads(body) for _, path, _, body in self.service.calls[-1:]]
        self.assertEqual(call["at"], "2026-11-21T10:00:00Z")
        self.assertFalse(self.waiting())

    def test_consent_to_service_is_nothing_to_the_service(self):
        self.record(purpose="service")
        self.assertEqual(self.told(), [])

    def test_a_service_that_is_away_costs_nothing_but_time(self):
        self.service.answer = 503, b""
        self.record()
        self.assertEqual(len(self.waiting()), 1)
        self.waiting()._cron_tell()
        self.assertEqual(len(self.waiting()), 1)
        self.service.answer = 200, b"{}"
        self.waiting()._cron_tell()
        self.assertFalse(self.waiting())

    def test_a_conversation_that_the_service_forgot_is_not_told_for_ever(self):
        self.service.answer = NOT_FOUND
        self.record()
        self.assertFalse(self.waiting())

    def test_an_import_of_many_is_told_by_and_by(self):
        rows = [
            {"partner_id": self.partner.id, "way": "import", "evidence": "List of May", "at": f"2026-05-0{day}"}
            for day in (1, 2)
        ]
        self.env["leadline.consent"].with_user(self.agent).create(rows)
        self.assertEqual((self.told(), len(self.waiting())), ([], 2))
        self.waiting()._cron_tell()
        self.assertEqual(len(self.told()), 2)

    def test_what_the_service_refuses_keeps_nothing_waiting_and_is_not_tried_at_once(self):
        self.service.answer = 409, b'{"code": "something_new", "detail": "Not now."}'
        self.record()
        self.record(state="withdrawn", at="2026-11-21 10:00:00")
        cron = self.env.ref("leadline.ir_cron_tell")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        calls = len(self.told())
        with patch.object(leadline_consent_telling, "AT_ONCE", 1):
            self.waiting()._cron_tell()
        self.assertEqual(len(self.told()) - calls, 2, "each once")
        self.assertEqual(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]), triggers)

    def test_what_was_recorded_before_the_customer_wrote_is_told_when_they_do(self):
        known = self.env["res.partner"].create({"name": "Bo", "phone": "+12025550177"})
        self.record(known)
        self.assertEqual(self.told(), [])
        self.met(conversation("conv-bo", contact=contact("contact-bo", phone="+12025550177")))
        self.waiting()._cron_tell()
        self.assertEqual(self.told(), [("conv-bo", "resume", "crm")])

    def test_one_person_on_two_lines_is_told_once(self):
        self.met(conversation("conv-2"))
        self.waiting().unlink()
        self.record()
        self.assertEqual(len(self.told()), 1)

    def test_what_the_service_told_is_not_told_back(self):
        self.met(conversation(consent=said("stop"), version=2))
        crm = {"value": "resume", "source": "crm", "at": "2026-11-22T10:00:00Z"}
        self.met(conversation(consent={"marketing": crm, "stopped": False, "agreed": True}, version=3))
        self.assertEqual((self.told(), len(self.waiting())), ([], 0))
        self.assertEqual(self.partner.leadline_consent_ids.mapped("way"), ["keyword"])

    def test_a_first_message_that_is_stop_is_not_told_back(self):
        first = conversation("conv-stop", contact=contact("contact-stop", phone="+12025550144"), consent=said("stop"))
        self.met(first)
        self.assertFalse(self.waiting())

    def test_a_change_of_the_contact_alone_is_recorded_too(self):
        switched = said("stop", "whatsapp")
        self.met(conversation(consent=switched))
        self.assertEqual(self.partner.leadline_consent_ids.mapped("way"), ["whatsapp"])

    def test_start_is_consent_only_where_it_answers_a_stop(self):
        start = said("resume", "keyword") | {"agreed": False}
        self.met(conversation(consent=start, version=2))
        self.assertFalse(self.partner.leadline_consent_ids)
        self.met(conversation(consent=start | {"agreed": True}, version=3))
        self.assertEqual(self.partner.leadline_consent_ids.mapped("state"), ["given"])

    def test_the_data_notice_is_on_record_with_its_words(self):
        self.line.write({"notice_text": "Your data:", "notice_url": "https://shop.example/privacy"})
        consent = {"marketing": None, "stopped": False, "notice": "2026-11-20T10:00:05+00:00"}
        for version in (2, 3):
            self.met(conversation(consent=consent, version=version))
        [record] = self.partner.leadline_consent_ids
        self.assertEqual((record.purpose, record.state, record.way), ("data", "informed", "notice"))
        self.assertEqual(record.evidence, "Your data:\nhttps://shop.example/privacy")
        with self.assertRaisesRegex(UserError, "by itself"):
            self.record(purpose="data", state="informed")

    def test_a_first_message_carries_the_consent_that_is_on_record(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "A deal",
                "partner_id": self.env["res.partner"].create({"name": "Cy", "phone": "+12025550188"}).id,
                "user_id": self.agent.id,
                "phone": "+12025550188",
            }
        )
        asked = self.conversations.with_user(self.agent)
        self.assertFalse(asked.chat_open("crm.lead", lead.id)["invitation"]["consent"]["agreed"])
        self.record(lead.partner_id, at="2026-11-01 08:00:00")
        self.assertTrue(asked.chat_open("crm.lead", lead.id)["invitation"]["consent"]["agreed"])
        head = {"id": "conv-cy", "contact": {"id": "contact-cy", "name": "Cy"}}
        self.service.answer = 202, json.dumps({"conversation": head}).encode()
        asked.chat_start("crm.lead", lead.id, self.line.identifier, {"client_id": "client-1"})
        consent = json.loads(self.service.calls[-1][3])["consent"]
        self.assertEqual(consent, {"value": "resume", "source": "crm", "at": "2026-11-01T08:00:00Z"})

    def test_the_tab_opens_the_form_for_the_right_contact_and_for_who_may_write(self):
        row = self.row()
        lead = row.lead_ids
        lead.user_id = self.agent
        action = self.conversations.with_user(self.agent).chat_record_consent("crm.lead", lead.id, "conv-1")
        context = {"default_partner_id": self.partner.id, "default_line_id": self.line.id}
        self.assertEqual((action["res_model"], action["context"]), ("leadline.consent", context))
        stranger = new_test_user(self.env, "leadline_stranger", "sales_team.group_sale_salesman")
        with self.assertRaises(AccessError):
            self.conversations.with_user(stranger).chat_record_consent("crm.lead", lead.id, "conv-1")
        bare = self.env["crm.lead"].create({"name": "No contact", "user_id": self.agent.id})
        with self.assertRaisesRegex(UserError, "no contact yet"):
            self.conversations.with_user(self.agent).chat_record_consent("crm.lead", bare.id)

    def test_the_proof_is_printed_for_agents(self):
        self.record(evidence="Signed form in the file of 12 May")
        report = self.env["ir.actions.report"].with_user(self.agent)
        html, _ = report._render_qweb_html("leadline.report_consent", self.partner.ids)
        self.assertIn("Signed form in the file of 12 May", html.decode())

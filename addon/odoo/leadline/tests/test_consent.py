from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from .common import LeadlineCase, conversation
from .test_attribution import through


def said(value, source="keyword", at="2026-11-20T10:00:00+00:00"):
    """Return the consent part of an event."""
    return {"marketing": {"value": value, "source": source, "at": at}, "stopped": value == "stop"}


class TestConsent(LeadlineCase):
    def shown(self, partner):
        rows = self.env["leadline.consent"].search([("partner_id", "=", partner.id)])
        return [(row.purpose, row.state, row.way) for row in rows]

    def test_stop_and_whatsapps_switch_are_recorded_once_each(self):
        row = self.met(conversation(consent=said("stop")))
        self.met(conversation(consent=said("stop"), version=2, received=2))
        stop = row.partner_id.leadline_consent_ids
        self.assertEqual(self.shown(row.partner_id), [("marketing", "withdrawn", "keyword")])
        self.assertEqual((str(stop.at), stop.line_id, stop.conversation), ("2026-11-20 10:00:00", self.line, "conv-1"))
        self.assertIn("STOP", stop.evidence)
        again = said("resume", "whatsapp", "2026-11-21T10:00:00+00:00")
        self.met(conversation(consent=again, version=3, received=3))
        newest_first = [("marketing", "given", "whatsapp"), ("marketing", "withdrawn", "keyword")]
        self.assertEqual(self.shown(row.partner_id), newest_first)

    def test_one_word_told_by_two_conversations_of_a_customer_is_one(self):
        first = self.met(conversation(consent=said("stop")))
        other = conversation("conv-2", consent=said("stop"))
        self.assertEqual(self.met(other).partner_id, first.partner_id)
        self.assertEqual(len(first.partner_id.leadline_consent_ids), 1)

    def test_coming_through_a_link_is_consent_to_service_and_to_nothing_else(self):
        link = {"name": "Spring poster", "identifier": "link-1", "reference": "K7M4PW", "line_id": self.line.id}
        self.env["leadline.link"].create(link | {"text": "Hi, a bicycle please"})
        row = self.met(conversation(attribution={"first": through(), "last": through()}))
        self.assertEqual(self.shown(row.partner_id), [("service", "given", "link")])
        evidence = row.partner_id.leadline_consent_ids.evidence
        self.assertIn("Spring poster", evidence)
        self.assertIn("Hi, a bicycle please (K7M-4PW)", evidence)

    def test_what_cannot_be_read_costs_no_message(self):
        for number, strange in enumerate((None, 7, {"marketing": 7}, said("maybe"), said("stop", at="soon"))):
            with self.subTest(strange):
                row = self.met(conversation(f"conv-strange-{number}", consent=strange))
                self.assertFalse(row.partner_id.leadline_consent_ids)

    def test_without_a_contact_it_is_recorded_when_there_is_one(self):
        self.line.unknown_customer = "nothing"
        row = self.met(conversation(consent=said("stop")))
        self.assertFalse(row.partner_id)
        row.partner_id = self.env["res.partner"].create({"name": "Ada Example"})
        self.met(conversation(consent=said("stop"), version=2, received=2))
        self.assertEqual(self.shown(row.partner_id), [("marketing", "withdrawn", "keyword")])

    def test_agents_note_what_was_said_elsewhere_and_nobody_changes_it(self):
        partner = self.env["res.partner"].create({"name": "Ada Example"})
        consents = self.env["leadline.consent"].with_user(self.agent)
        form = Form(consents.with_context(default_partner_id=partner.id))
        form.evidence = "Agreed by telephone"
        noted = form.save()
        self.assertEqual(self.shown(partner), [("marketing", "given", "note")])
        self.assertEqual(noted.create_uid, self.agent)
        for who in (noted, noted.sudo()):
            with self.assertRaises(UserError):
                who.write({"state": "withdrawn"})
        with self.assertRaises(AccessError):
            noted.unlink()
        partner.unlink()
        self.assertFalse(noted.exists())

    def test_nobody_notes_what_only_a_conversation_tells_or_what_is_to_come(self):
        partner = self.env["res.partner"].create({"name": "Ada Example"})
        consents = self.env["leadline.consent"].with_user(self.agent)
        for invented in ({"way": "keyword"}, {"way": "link"}, {"at": "2999-01-01 00:00:00"}):
            with self.subTest(invented), self.assertRaises(UserError):
                consents.create({"partner_id": partner.id, "evidence": "Trust me"} | invented)

    def test_another_company_sees_nothing_and_the_proof_can_be_exported(self):
        partner = self.met(conversation(consent=said("stop"))).partner_id
        manager = new_test_user(self.env, "leadline_prover", "leadline.group_manager,base.group_allow_export")
        proof = partner.leadline_consent_ids.with_user(manager).export_data(["partner_id", "state", "way"])
        self.assertEqual(proof["datas"], [[partner.display_name, "Withdrawn", "Keyword"]])
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "leadline_far", "leadline.group_manager", company_id=company.id, company_ids=company.ids
        )
        self.assertFalse(self.env["leadline.consent"].with_user(stranger).search([]))

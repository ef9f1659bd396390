from .common import PHONE, LeadlineCase, contact, conversation, event, line

OLD_BRAZIL, NEW_BRAZIL = "+551161234567", "+5511961234567"


class TestCustomers(LeadlineCase):
    """Who an unknown number turns out to be, and what becomes of somebody who is nobody yet."""

    def partner(self, name="Known", phone="(202) 555-0143", **values):
        country = self.env.ref("base.us").id
        return self.env["res.partner"].create({"name": name, "phone": phone, "country_id": country} | values)

    def lead(self, name="Known lead", phone="+1 202-555-0143", **values):
        values = {"name": name, "phone": phone, "type": "lead", "user_id": False} | values
        return self.env["crm.lead"].create(values)

    def test_an_unknown_customer_becomes_contact_and_lead(self):
        row = self.met()
        lead, partner = row.lead_ids, row.partner_id
        self.assertEqual((partner.name, partner.phone, partner.phone_sanitized), ("Ada Example", PHONE, PHONE))
        self.assertEqual((lead.name, lead.contact_name), ("WhatsApp: Ada Example", "Ada Example"))
        self.assertEqual((lead.partner_id, lead.phone_sanitized), (partner, PHONE))
        self.assertEqual((lead.team_id, lead.source_id.name, lead.medium_id.name), (self.team, "WhatsApp", "WhatsApp"))
        self.assertFalse(lead.description)
        self.assertFalse(lead.user_id)
        self.assertFalse(row.user_id)

    def test_a_new_lead_goes_to_the_team_leader_as_crm_does_it(self):
        self.team.user_id = self.agent
        row = self.met()
        self.assertEqual((row.lead_ids.user_id, row.user_id), (self.agent, self.agent))

    def test_a_new_lead_goes_to_the_salesperson_of_the_line(self):
        self.team.crm_team_member_ids = [(0, 0, {"user_id": self.agent.id})]
        self.line.user_id = self.agent
        row = self.met()
        self.assertEqual((row.lead_ids.user_id, row.lead_ids.team_id, row.user_id), (self.agent, self.team, self.agent))
        self.assertEqual(row.partner_id.user_id, self.agent)

    def test_a_line_may_make_only_a_contact_or_nothing(self):
        self.line.unknown_customer = "contact"
        row = self.met()
        self.assertTrue(row.partner_id)
        self.assertFalse(row.lead_ids)
        self.line.unknown_customer = "nothing"
        row = self.met(conversation("conv-2", contact=contact("c2", phone="+12025550144")))
        self.assertFalse(row.partner_id)
        self.assertFalse(row.lead_ids)

    def test_a_customer_without_phone_is_met_by_name(self):
        row = self.met(conversation(contact=contact(phone=None, username="ada", bsuid="US.1")))
        self.assertEqual((row.partner_id.name, row.partner_id.phone), ("Ada Example", False))
        self.assertEqual(row.lead_ids.phone, False)

    def test_a_customer_without_anything_still_gets_a_name(self):
        row = self.met(conversation(contact=contact(name="", phone=None)))
        self.assertEqual(row.partner_id.name, "WhatsApp customer")

    def test_what_we_say_first_makes_no_lead_and_the_answer_does(self):
        self.apply(event(conversation(received=0, last_out="2026-11-20T09:00:00Z"), "message.sent"))
        row = self.row()
        self.assertFalse(row.lead_ids or row.partner_id)
        self.met(conversation(version=2))
        self.assertTrue(row.lead_ids and row.partner_id)

    def test_a_known_contact_is_found_however_its_number_is_written(self):
        partner = self.partner()
        row = self.met()
        self.assertEqual(row.partner_id, partner)
        self.assertFalse(row.lead_ids, "somebody known is no new lead")
        self.assertEqual(partner.name, "Known", "what the card says stays")

    def test_both_living_forms_of_a_number_find_the_contact(self):
        # Odoo gives Brazilian mobiles their ninth digit; WhatsApp's id may lack it.
        partner = self.partner(phone=NEW_BRAZIL, country_id=self.env.ref("base.br").id)
        person = contact(phone=OLD_BRAZIL, phone_variants=[OLD_BRAZIL, NEW_BRAZIL])
        self.assertEqual(self.met(conversation(contact=person)).partner_id, partner)

    def test_a_known_lead_without_contact_gets_one(self):
        lead = self.lead(contact_name="Ada Lead")
        row = self.met()
        self.assertEqual(row.lead_ids, lead)
        self.assertEqual(lead.partner_id, row.partner_id)
        self.assertEqual(row.partner_id.phone_sanitized, PHONE)

    def test_a_known_lead_without_contact_is_given_the_known_contact(self):
        partner, lead = self.partner(), self.lead()
        row = self.met()
        self.assertEqual((row.partner_id, row.lead_ids, lead.partner_id), (partner, lead, partner))

    def test_the_owner_of_a_known_customer_owns_the_conversation(self):
        self.partner(user_id=self.agent.id)
        self.assertEqual(self.met().user_id, self.agent)

    def test_open_opportunities_come_before_leads_and_these_before_what_is_over(self):
        won = self.env["crm.stage"].create({"name": "Won", "is_won": True})
        over = self.lead("Over", type="opportunity", partner_id=self.partner("Over").id, stage_id=won.id)
        fresh = self.lead("Fresh", partner_id=self.partner("Fresh").id)
        deal = self.lead("Deal", type="opportunity", partner_id=self.partner("Deal").id)
        ranked = (fresh | over | deal)._leadline_ranked()
        self.assertEqual(ranked.mapped("name"), ["Deal", "Fresh", "Over"])
        row = self.met()
        self.assertEqual((row.partner_id.name, row.lead_ids), ("Deal", deal))

    def test_of_several_contacts_the_looked_after_one_is_taken(self):
        cared_for = self.partner("Cared for", user_id=self.agent.id)
        self.partner("Newer")
        self.assertEqual(self.met().partner_id, cared_for)

    def test_contacts_of_another_company_are_not_looked_at(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        theirs = self.partner(company_id=elsewhere.id)
        self.assertNotEqual(self.met().partner_id, theirs)

    def test_the_same_person_on_two_lines_is_one_contact(self):
        first = self.met()
        second = self.met(conversation("conv-2", line=line("line-2"), contact=contact(phone=None)))
        self.assertEqual(second.partner_id, first.partner_id)
        self.assertEqual(second.lead_ids, first.lead_ids)

    def test_the_lookup_by_phone_has_its_index(self):
        self.env.cr.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'res_partner'")
        definitions = [definition for (definition,) in self.env.cr.fetchall()]
        self.assertTrue(any("(phone_sanitized)" in definition for definition in definitions), definitions)

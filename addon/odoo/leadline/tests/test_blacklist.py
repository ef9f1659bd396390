import json

from .common import PHONE, LeadlineCase, contact, conversation
from .test_consent import said


class TestBlacklist(LeadlineCase):
    """The phone blacklist and WhatsApp's STOP are one, whichever comes first, and neither echoes the other."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.service.answer = 200, b"{}"
        self.blacklist = self.env["phone.blacklist"]
        self.partner = self.met().partner_id
        self.told()

    def told(self):
        """Have what waits told, and return what the service was told since the last time, without the times."""
        self.service.calls.clear()
        self.env["leadline.consent.telling"]._cron_tell()
        calls = [(path, json.loads(body)) for _, path, _, body in self.service.calls if path.endswith("/consent")]
        return [(path.split("/")[-2], body["value"], body["source"]) for path, body in calls]

    def listed(self, *numbers):
        return self.blacklist.search([("number", "in", numbers or [PHONE])]).mapped("number")

    def test_stop_puts_the_number_on_the_list_and_start_takes_it_off(self):
        self.met(conversation(consent=said("stop"), version=2))
        self.assertEqual(self.listed(), [PHONE])
        self.assertTrue(self.partner.phone_blacklisted)
        start = said("resume", "keyword", "2026-11-20T11:00:00Z")
        self.met(conversation(consent=start, version=3))
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.told(), [])

    def test_whatsapps_own_switch_is_no_matter_of_the_list(self):
        self.met(conversation(consent=said("stop", "whatsapp"), version=2))
        self.assertEqual(self.listed(), [])

    def test_every_form_of_the_number_that_is_one_is_listed(self):
        forms = {"phone": "+553188887777", "phone_variants": ["+553188887777", "+5531988887777"]}
        who = contact("contact-br", **forms)
        self.met(conversation("conv-br", contact=who, consent=said("stop")))
        self.assertEqual(self.listed("+553188887777", "+5531988887777"), ["+5531988887777"])

    def test_a_stop_that_is_told_again_does_not_undo_what_was_decided_here(self):
        self.met(conversation(consent=said("stop"), version=2))
        self.blacklist.remove(PHONE)
        self.assertEqual(self.told(), [("conv-1", "resume", "blacklist")])
        self.met(conversation(consent=said("stop"), version=3, received=2))
        self.met(conversation("conv-2", consent=said("stop")))
        self.assertEqual(self.listed(), [])

    def test_who_is_put_on_the_list_here_gets_nothing_there(self):
        self.blacklist.add(PHONE)
        self.assertEqual(self.told(), [("conv-1", "stop", "blacklist")])
        said_ = self.partner.leadline_consent_ids
        self.assertEqual((said_.state, said_.way), ("withdrawn", "blacklist"))

    def test_every_way_off_the_list_and_onto_it_is_told_once(self):
        entry = self.blacklist.create({"number": PHONE})
        self.assertEqual(self.told(), [("conv-1", "stop", "blacklist")])
        self.blacklist.create({"number": PHONE})
        self.assertEqual(self.told(), [])
        entry.action_archive()
        self.assertEqual(self.told(), [("conv-1", "resume", "blacklist")])
        self.blacklist.create({"number": PHONE})
        self.assertEqual(self.told(), [("conv-1", "stop", "blacklist")])
        entry.number = "+12025550199"
        self.assertEqual(self.told(), [("conv-1", "resume", "blacklist")])
        entry.number = PHONE
        entry.unlink()
        self.assertEqual([value for _, value, _ in self.told()], ["stop", "resume"])

    def test_a_number_that_only_begins_alike_is_somebody_elses(self):
        longer = contact("contact-long", phone=PHONE + "0")
        self.met(conversation("conv-long", contact=longer))
        self.told()
        self.blacklist.add(PHONE)
        self.assertEqual(self.told(), [("conv-1", "stop", "blacklist")])

    def test_who_hides_the_number_is_known_by_that_of_their_contact(self):
        hidden = contact("contact-hidden", phone=None, phone_variants=[])
        row = self.met(conversation("conv-hidden", contact=hidden))
        row.partner_id.phone = "+12025550166"
        self.told()
        self.blacklist.add("+12025550166")
        self.assertEqual(self.told(), [("conv-hidden", "stop", "blacklist")])

    def test_who_was_listed_before_they_wrote_is_told_when_they_do(self):
        self.blacklist.add("+12025550155")
        self.met(conversation("conv-late", contact=contact("contact-late", phone="+12025550155")))
        self.assertEqual(self.told(), [("conv-late", "stop", "blacklist")])

    def test_consent_that_is_recorded_later_takes_the_number_off_and_an_older_one_does_not(self):
        self.met(conversation(consent=said("stop"), version=2))
        record = self.env["leadline.consent"].with_user(self.agent)
        given = {"partner_id": self.partner.id, "way": "form", "evidence": "Signed form"}
        record.create(given | {"at": "2020-01-01 00:00:00"})
        self.assertEqual(self.listed(), [PHONE])
        record.create(given)
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.told(), [])
        self.assertEqual(self.env["leadline.consent"]._recorded_of(self.partner, self.env.company).state, "given")

    def test_after_the_list_only_a_new_word_is_consent(self):
        record = self.env["leadline.consent"].with_user(self.agent)
        record.create({"partner_id": self.partner.id, "way": "form", "evidence": "Form", "at": "2026-11-01 00:00:00"})
        self.blacklist.add(PHONE)
        self.blacklist.remove(PHONE)
        self.assertFalse(self.env["leadline.consent"]._recorded_of(self.partner, self.env.company))

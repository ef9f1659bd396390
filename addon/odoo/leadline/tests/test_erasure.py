"""An erased person leaves nothing in the add-on's tables; who did it is known."""

import io
import json
import zipfile
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..controllers import contact_archive
from .common import LeadlineCase, contact, conversation, event, line_event
from .test_consent import said

NAME, PHONE, LINK_LABEL = "Verônica Quitéria", "+5521976543210", "Poster by the door"


def erased(*conversations, contacts=("contact-1",)):
    """Return the event that a person was erased."""
    about = {"contacts": list(contacts), "conversations": list(conversations or ("conv-1",))}
    told = line_event("contact.erased", erased=about)
    del told["line"]
    return told


class ErasureCase(LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, "leadline_privacy", "sales_team.group_sale_manager")

    def met_vera(self, identifier="conv-1", person="contact-1", **changed):
        about = contact(person, name=NAME, phone=PHONE, username="vera.quit")
        return self.met(conversation(identifier, contact=about, consent=said("stop"), **changed))

    def traces(self, *needles):
        """Return the columns of the add-on's tables in which one of the texts stands."""
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT table_name, column_name FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name LIKE 'leadline%%'
               AND data_type IN ('character varying', 'text', 'jsonb')"""
        )
        found = []
        for table, column in self.env.cr.fetchall():
            for needle in needles:
                self.env.cr.execute(
                    f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s',
                    [f"%{needle}%"],
                )
                if self.env.cr.fetchone()[0]:
                    found.append(f"{table}.{column}")
        return found


class TestErasure(ErasureCase):
    def test_an_erased_person_is_found_in_no_table_of_ours(self):
        partner = self.met_vera().partner_id
        needles = (NAME, PHONE[1:], "vera.quit", "conv-1", "contact-1")
        self.assertIn("leadline_conversation.name", self.traces(*needles))
        [result] = self.apply(erased())
        self.assertEqual((result["ok"], result["records"]), (True, []))
        self.assertEqual(self.traces(*needles), [])
        self.assertFalse(self.env["leadline.consent"].search([("partner_id", "=", partner.id)]))
        self.assertEqual((partner.name, partner.phone), (NAME, PHONE), "the contact is the business's own")

    def test_what_sessions_counted_and_what_was_mentioned_goes_along(self):
        row = self.met_vera()
        row._mention("msg-note", self.manager)
        self.assertTrue(row.session_ids)
        self.assertTrue(self.env["leadline.session.message"].search([]))
        self.apply(erased())
        for model in ("session", "session.step", "session.message", "mention"):
            self.assertFalse(self.env[f"leadline.{model}"].search([]), model)
        self.assertFalse(self.env["leadline.claim"].search([("name", "like", "conv-1")]))

    def test_to_be_told_again_is_harmless_and_who_begins_anew_has_a_new_conversation(self):
        self.met_vera()
        self.apply(erased(), erased())
        self.met_vera("conv-2", "contact-2")
        self.apply(erased())
        self.assertTrue(self.row("conv-2"))
        self.assertFalse(self.row("conv-1"))

    def test_consent_given_elsewhere_stays_while_another_conversation_is_there(self):
        partner = self.met_vera().partner_id
        self.met(conversation("conv-2", contact=contact("contact-2", name=NAME, phone=PHONE)))
        self.assertEqual(self.row("conv-2").partner_id, partner)
        noted = self.env["leadline.consent"].create({"partner_id": partner.id, "evidence": "By telephone"})
        self.apply(erased())
        self.assertEqual(partner.leadline_consent_ids, noted)
        self.apply(erased("conv-2", contacts=["contact-2"]))
        self.assertFalse(partner.leadline_consent_ids)

    def test_one_batch_may_erase_a_person_and_tell_of_others(self):
        self.met_vera()
        self.met(conversation("conv-2", contact=contact("contact-2", phone="+12025550199")))
        news = [
            event(conversation(name, version=5, received=2, contact=contact("contact-2")))
            for name in ("conv-2", "conv-3")
        ]
        results = self.apply(erased() | {"id": "a"}, *news)
        self.assertEqual([result["ok"] for result in results], [True] * 3, results)
        self.assertFalse(self.row())
        self.assertEqual(self.row("conv-2").received_count, 2)

    def test_another_connection_erases_nothing_of_ours(self):
        self.met_vera()
        other = self.connection.copy({"identifier": "conn-other"})
        [result] = self.conversations._apply_events(other, [erased()])
        self.assertTrue(result["ok"])
        self.assertTrue(self.row())

    def test_one_that_cannot_be_read_is_refused_and_costs_no_other(self):
        strange = erased() | {"erased": {"contacts": "all", "conversations": []}}
        results = self.apply(strange, event(conversation("conv-9")))
        self.assertEqual([result["ok"] for result in results], [False, True])

    def test_a_manager_erases_a_contact_after_being_told_what_goes(self):
        self.serve()
        self.service.answer = 202, b'{"id": "contact-1"}'
        partner = self.met_vera().partner_id
        action = partner.with_user(self.manager).action_leadline_erase()
        wizards = self.env["leadline.erasure"].with_user(self.manager).with_context(**action["context"])
        wizard = wizards.create({})
        self.assertEqual(wizard.conversation_count, 1)
        with self.assertRaises(UserError):
            wizard.action_erase()
        wizard.sure = True
        wizard.action_erase()
        [(method, path, *_)] = self.service.calls
        self.assertEqual((method, path), ("DELETE", f"/base/chat/v1/contacts/contact-1?by={self.manager.id}"))
        self.assertFalse(self.row())

    def test_a_service_that_does_not_answer_leaves_everything_as_it_was(self):
        partner = self.met_vera().partner_id
        self.connection.url = "http://127.0.0.1:9"
        wizard = self.env["leadline.erasure"].with_user(self.manager).create({"partner_id": partner.id, "sure": True})
        with self.assertRaises(UserError):
            wizard.action_erase()
        self.assertTrue(self.row())

    def test_agents_may_neither_erase_nor_export(self):
        partner = self.met_vera().partner_id.with_user(self.agent)
        for act in ("action_leadline_erase", "action_leadline_export"):
            with self.subTest(act), self.assertRaises(AccessError):
                getattr(partner, act)()
        with self.assertRaises(AccessError):
            self.env["leadline.erasure"].with_user(self.agent).create({"partner_id": partner.id})


@tagged("post_install", "-at_install")
class TestArchive(ErasureCase, HttpCase):
    def downloaded(self, **changed):
        """Return the zip that a manager gets of somebody who said one thing."""
        message = {
            "id": "message-1",
            "conversation": "conv-1",
            "at": "2026-11-20T10:00:00+00:00",
            "text": f"2026-11-20 10:00:00  {NAME}: [text] Azulejos",
            "file": None,
            "message": {"sort": "1", "media": None},
            "raw": {"from": PHONE[1:]},
            "before": [],
        } | changed
        page = {"about": {"contact": {"name": NAME}}, "messages": [message], "next": None}
        self.service.answer = 200, json.dumps(page).encode()
        partner = self.met_vera().partner_id
        self.manager.password = "leadline_privacy_1"
        self.authenticate("leadline_privacy", "leadline_privacy_1")
        answer = self.url_open(partner.with_user(self.manager).action_leadline_export()["url"])
        self.assertEqual((answer.status_code, answer.headers["content-type"]), (200, "application/zip"))
        return zipfile.ZipFile(io.BytesIO(answer.content))

    def test_a_manager_downloads_all_that_is_held_and_nothing_stays_here(self):
        self.serve()
        attachments = self.env["ir.attachment"].search_count([])
        with self.downloaded() as archive:
            names = archive.namelist()
            text = archive.read(next(name for name in names if name.endswith(".txt"))).decode()
        self.assertIn("Azulejos", text)
        self.assertEqual(
            {name.rpartition("/")[2] for name in names if name.endswith("json")}, {"person.json", "messages.json"}
        )
        self.assertEqual(self.env["ir.attachment"].search_count([]), attachments)
        self.assertEqual(self.traces("Azulejos"), [])

    def test_a_file_without_an_end_does_not_fill_the_disk(self):
        self.serve()
        media = {"url": f"http://127.0.0.1:{self.service.server_port}/files/offer"}
        given = {"file": "files/offer.pdf", "message": {"sort": "1", "media": media}}
        with patch.object(contact_archive, "FILE_LIMIT", 40), self.downloaded(**given) as archive:
            named = [name.partition("/")[2] for name in archive.namelist()]
            self.assertIn("files/offer.pdf.missing.txt", named)
            self.assertIn("messages.json", named)
        with self.downloaded(**given) as archive:
            self.assertNotIn("missing", " ".join(archive.namelist()))
            self.assertEqual(archive.read(next(one for one in archive.namelist() if "offer" in one)), b"x" * 100)

    def test_nobody_else_gets_it(self):
        partner = self.met_vera().partner_id
        self.agent.password = "leadline_agent_1"
        self.authenticate("leadline_agent", "leadline_agent_1")
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open(f"/leadline/contact/{partner.id}/archive").status_code, 403)

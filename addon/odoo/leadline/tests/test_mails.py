"""What people are told by mail: whatever names and reasons hold, it stands there as the text that it is."""

from email import message_from_string, policy
from urllib.parse import unquote

from lxml import html

from odoo.addons.base.tests.common import MockSmtplibCase

from .common import health, line_event, template
from .common_sessions import SessionCase

TURNED = "\u202e"
"""Turns what follows around, beyond the end of a name too."""


def hostile(place):
    """Return a text that would run, or lead away, wherever it is not taken as text."""
    # Short: names are cut at 200 letters.
    return f"<img src=/ran/{place} onerror=ran('{place}') data-hostile>\"'><a href='javascript:ran()'>{place}</a>"


def from_outside(place):
    """Return one that would begin another header as well, and turn the sentence around in which it stands."""
    return f"{hostile(place)}\r\nBcc: {place}@evil.test\u200b{TURNED}"


class TestMails(SessionCase, MockSmtplibCase):
    def setUp(self):
        super().setUp()
        self.people = self.ann | self.ben | self.manager
        self.people.notification_type = "email"
        self.line.name = hostile("line")
        self.ann.name = hostile("colleague")
        self.queue(self.ann, answer_within=30, warn_before=10, pass_on_after=0)
        self.online(self.ann)

    def told(self, *arguments, **named):
        """Return an event of a customer's message, their name hostile."""
        told = super().told(*arguments, **named)
        told["conversation"]["contact"]["name"] = from_outside("customer")
        return told

    def mailed(self):
        """Return the mails that went out since `mock_smtplib_connection`, by subject, as they were sent."""
        parsed = [message_from_string(one["message"], policy=policy.default) for one in self.emails]
        return {one["Subject"]: one for one in parsed}

    def is_clean(self, mail, *places):
        """Fail unless the texts of these places are seen as they are, and nothing is made of them."""
        self.assertEqual(mail.defects, [])
        self.assertIsNone(mail["Bcc"])
        for header in ("From", "To", "Reply-To"):
            addresses = mail[header].addresses if mail[header] else ()
            self.assertLessEqual(len(addresses), 1, mail[header])
            self.assertNotIn("evil.test", [address.domain for address in addresses])
        body = mail.get_body(("html",)).get_content()
        self.assertNotIn(TURNED, f"{mail['Subject']}{body}")
        page = html.fromstring(body)
        for place in places:
            self.assertIn(f"onerror=ran('{place}')", page.text_content())
        for element in page.iter("*"):
            self.assertFalse([name for name in element.attrib if name.startswith(("on", "data-hostile"))], element)
            for name in ("href", "src", "action"):
                address = unquote(element.get(name, ""))
                self.assertFalse("/ran/" in address or address.strip().startswith("javascript:"), address)

    def all_are_clean(self, wanted):
        """Fail unless there are these mails, by a part of their subjects, and all of them are clean."""
        mailed = self.mailed()
        for subject, places in wanted.items():
            found = [mail for said, mail in mailed.items() if subject in said]
            self.assertTrue(found, f"no mail “{subject}” among {list(mailed)}")
            for mail in found:
                self.is_clean(mail, *places)
        return mailed

    def test_of_a_session_and_among_colleagues(self):
        with self.mock_smtplib_connection():
            row = self.write_in()
            self.forward(minutes=20)
            self.forward(minutes=5)
            self.answer(self.ann)
            self.as_agent(self.ann, "chat_transfer", "user", self.ben.id)
            self.as_agent(self.ann, "chat_note_alert", "note-1", self.ben.partner_id.ids)
            self.as_agent(self.ann, "chat_invite", self.ben.id)
        self.assertEqual(row.session_id.user_id, self.ben)
        self.all_are_clean(
            {
                "WhatsApp answer due": ["customer"],
                "A WhatsApp chat is yours now": ["customer"],
                f"{self.ann.name} mentioned you": ["colleague", "customer"],
                f"{self.ann.name} asks you to join": ["colleague", "customer"],
            }
        )
        due = [one["msg_to"] for one in self.emails if "WhatsApp answer due" in one["message"]]
        self.assertEqual(len(due), 2, "the agent and the managers")

    def test_of_a_customer_whose_chat_is_somebodys(self):
        self.line.member_ids.unlink()
        self.team.user_id = self.ann
        with self.mock_smtplib_connection():
            self.write_in()
            again = self.told("message.received", version=2, received=2)
            reacted = self.told("message.changed", version=3, received=2, what="reaction")
            failed = self.told("message.status", version=4, received=2, direction="out", status="failed")
            again["conversation"]["read"], reacted["conversation"]["read"] = 1, 1
            self.apply(again, reacted, failed)
            self.env["leadline.notice"]._cron_give()
        self.all_are_clean(
            {
                "You have been assigned to": ["customer"],
                "New WhatsApp message": ["customer"],
                "Reaction on WhatsApp": ["customer"],
                "WhatsApp message not sent": ["customer"],
            }
        )

    def test_of_a_line_and_its_templates(self):
        reason = {"plain": from_outside("reason")}
        found = {"check": "token", "state": "bad", "seen": from_outside("seen"), "mend": from_outside("mend")}
        well = {"sending": "ok", "error": None, "since": None}
        paused = template(status="PAUSED", reason=from_outside("rejection"))
        with self.mock_smtplib_connection():
            self.apply(
                line_event("line.health", health=health(error=reason)),
                line_event("line.health", health=health(**well, problems=[found]), at="2026-11-20T10:05:00Z"),
                line_event("template.updated", template=paused),
            )
        self.all_are_clean(
            {
                "WhatsApp sending is stopped": ["line", "reason"],
                "The WhatsApp line": ["line", "seen", "mend"],
                "WhatsApp template can't be sent": ["line", "rejection"],
            }
        )

"""Agents who come and go, customers who write, and a clock that moves."""

from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import new_test_user

from .common import LeadlineCase, contact, conversation, event

START = datetime(2026, 11, 24, 10, 0)
"""A Tuesday."""

PHONES = {"customer": "+12025550143"}


class SessionCase(LeadlineCase):
    """A line with a team, and agents who are online unless a test says otherwise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sessions = cls.env["leadline.session"]
        cls.manager = new_test_user(
            cls.env, "leadline_manager", "sales_team.group_sale_manager", name="Mia", notification_type="inbox"
        )
        cls.people = {
            name.lower(): new_test_user(
                cls.env,
                f"leadline_{name.lower()}",
                "sales_team.group_sale_salesman_all_leads",
                name=name,
                notification_type="inbox",
            )
            for name in ("Ann", "Ben", "Cat", "Dan", "Rob")
        }
        for name, user in cls.people.items():
            setattr(cls, name, user)

    def setUp(self):
        super().setUp()
        self.clock = freeze_time(START)
        self.frozen = self.clock.start()
        self.addCleanup(self.clock.stop)
        # The tests' transaction must not be committed; what a cron commits is its own affair.
        self.startPatcher(
            patch.object(self.registry["ir.cron"], "_commit_progress", lambda *_args, **_named: float("inf"))
        )

    @property
    def now(self):
        return self.frozen().replace(tzinfo=None)

    def forward(self, **duration):
        """Let time pass, and the cron look after the sessions."""
        self.frozen.tick(timedelta(**duration))
        self.sessions._cron_tend()

    def online(self, *users):
        for user in users:
            self.env["mail.presence"]._update_presence(user)

    def offline(self, *users):
        for user in users:
            user.sudo().presence_ids.status = "offline"
        self.env.invalidate_all()

    def queue(self, *users, **line):
        """Put users into the line's queue, in this order."""
        self.line.write(
            {"member_ids": [(5,), *((0, 0, {"user_id": user.id, "sequence": n}) for n, user in enumerate(users))]}
            | line
        )

    def told(self, type_, identifier="conv-1", *, version, received, at=None, author=None, **message):
        """Return an event of a message that is said now."""
        at = (at or self.now).isoformat() + "Z"
        last = {"last_in" if type_ == "message.received" else "last_out": at}
        window = (self.now + timedelta(days=1)).isoformat() + "Z"
        person = contact(f"contact-{identifier}", name=f"Customer {identifier}", phone=self.phone(identifier))
        about = conversation(
            identifier, version=version, received=received, contact=person, window_until=window, **last
        )
        found = event(about, type_, at=at)
        found["message"] |= {"at": at, "automatic": False} | message
        if author:
            found["message"] |= {"direction": "out", "author": author, "status": "sent"}
        return found

    @staticmethod
    def phone(identifier):
        return f"+1202555{1000 + sum(map(ord, identifier)) % 9000}"

    def write_in(self, identifier="conv-1", **said):
        """Let a customer write, and return the conversation."""
        row = self.row(identifier)
        received = row.received_count + 1
        version = (row.version if row else 0) + 1
        [result] = self.apply(self.told("message.received", identifier, version=version, received=received, **said))
        self.assertTrue(result["ok"], result)
        return self.row(identifier)

    def answer(self, user=None, identifier="conv-1", **said):
        """Let an agent answer, or with no user the business's phone."""
        row = self.row(identifier)
        author = {"kind": "agent", "id": str(user.id), "name": user.name} if user else {"kind": "phone", "id": "x"}
        told = self.told(
            "message.sent", identifier, version=row.version + 1, received=row.received_count, author=author, **said
        )
        [result] = self.apply(told)
        self.assertTrue(result["ok"], result)

    def known(self, user, identifier="conv-1"):
        """Let a customer be known, with a lead of a salesperson's."""
        lead = self.env["crm.lead"].create(
            {"name": "Known", "phone": self.phone(identifier), "user_id": user.id, "type": "opportunity"}
        )
        # The tests' transaction has one time for all that is made in it.
        self.env.cr.execute("UPDATE crm_lead SET create_date = create_date - interval '1 day' WHERE id = %s", [lead.id])
        lead.invalidate_recordset()
        return lead

    def busy(self, user, chats, *, last=None, line=None):
        """Let a user have open chats already; `last`: how many minutes ago they got the last one."""
        for number in range(chats):
            identifier = f"busy-{user.login}-{number}-{len(self.sessions.search([]))}"
            row = self.conversations.create(
                {
                    "identifier": identifier,
                    "contact": identifier,
                    "name": identifier,
                    "line_id": (line or self.line).id,
                    "version": 0,
                }
            )
            at = self.now - timedelta(minutes=last or 60)
            row.session_id = self.sessions.create(
                {
                    "conversation_id": row.id,
                    "queue_line_id": row.line_id.id,
                    "state": "assigned",
                    "user_id": user.id,
                    "opened_at": at,
                    "assigned_at": at,
                    "last_at": at,
                    "first_response_at": at,
                }
            )

    def hours(self, user, start, end, tz="UTC"):
        """Give a user working hours of their own, Monday to Friday."""
        calendar = self.env["resource.calendar"].create(
            {
                "name": f"{user.name}'s",
                "tz": tz,
                "attendance_ids": [
                    (5,),
                    *(
                        (0, 0, {"name": str(day), "dayofweek": str(day), "hour_from": start, "hour_to": end})
                        for day in range(5)
                    ),
                ],
            }
        )
        return self.env["resource.resource"].create(
            {"name": user.name, "user_id": user.id, "calendar_id": calendar.id, "tz": tz}
        )

    def leave(self, resource, *, days=1):
        """Let somebody be off from now on, as approved time off is written."""
        return self.env["resource.calendar.leaves"].create(
            {
                "name": "Off",
                "resource_id": resource.id,
                "calendar_id": resource.calendar_id.id,
                "date_from": self.now - timedelta(hours=1),
                "date_to": self.now + timedelta(days=days),
            }
        )

    def log(self, session):
        return [step.sentence for step in session.step_ids]

    def as_agent(self, user, method, *arguments, identifier="conv-1"):
        """Call what the chat tab calls, as a user, on the conversation's lead."""
        lead = (self.row(identifier) or self.row())._lead()
        return getattr(self.conversations.with_user(user), method)("crm.lead", lead.id, identifier, *arguments)

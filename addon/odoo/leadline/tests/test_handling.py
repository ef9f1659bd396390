import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from .common import LINE
from .common_sessions import SessionCase


class TestHandling(SessionCase):
    """What agents do with sessions from the card."""

    def setUp(self):
        super().setUp()
        self.online(self.ann, self.ben)
        self.queue(self.ann)
        self.write_in()

    @property
    def session(self):
        return self.row().session_id

    def bus(self):
        """Return what open tabs were told since the last look."""
        self.env.cr.precommit.run()
        rows = self.env["bus.bus"].search([("id", ">", getattr(self, "seen", 0))], order="id")
        self.seen = rows[-1:].id or getattr(self, "seen", 0)
        told = [json.loads(row.message) for row in rows]
        return [one["payload"] for one in told if one["type"] == "leadline/conversation"]

    def notices(self, user):
        self.env["leadline.notice"]._cron_give()
        return self.env["mail.message"].search(
            [("message_type", "=", "user_notification"), ("notified_partner_ids", "in", user.partner_id.ids)]
        )

    def test_taking_makes_it_mine(self):
        summary = self.as_agent(self.ben, "chat_take")
        self.assertEqual(summary["session"]["agent"], {"id": self.ben.id, "name": "Ben"})
        self.assertEqual((self.session.user_id, self.row().user_id), (self.ben, self.ben))
        self.assertEqual(self.log(self.session)[-1], "Ben took the chat from Ann.")

    def test_taking_what_is_mine_changes_nothing(self):
        log = self.log(self.session)
        self.as_agent(self.ann, "chat_take")
        self.assertEqual(self.log(self.session), log)

    def test_taking_without_an_open_session_makes_me_the_owner(self):
        self.as_agent(self.ann, "chat_close")
        summary = self.as_agent(self.ben, "chat_take")
        self.assertEqual((summary["session"]["state"], self.row().user_id), ("closed", self.ben))

    def test_closing_and_opening_again(self):
        self.assertEqual(self.as_agent(self.ann, "chat_close")["session"]["state"], "closed")
        self.assertEqual((self.session.ending, self.session.closed_by_id), ("hand", self.ann))
        self.as_agent(self.ann, "chat_close")
        summary = self.as_agent(self.ben, "chat_reopen")
        self.assertEqual((summary["session"]["state"], summary["session"]["agent"]["name"]), ("open", "Ben"))
        self.assertFalse(self.session.closed_at)
        self.as_agent(self.ben, "chat_reopen")
        self.assertEqual(
            self.log(self.session)[-3:],
            ["Ann closed the session.", "Ben opened the session again.", "Ben took the chat."],
        )

    def test_what_never_was_can_not_be_opened_again(self):
        row = self.conversations.create(
            {"identifier": "conv-x", "contact": "x", "name": "X", "line_id": self.line.id, "version": 0}
        )
        row.lead_ids = self.env["crm.lead"].create({"name": "X", "user_id": self.ann.id})
        with self.assertRaises(UserError):
            self.as_agent(self.ann, "chat_reopen", identifier="conv-x")

    def test_a_colleague_who_gets_a_chat_is_notified_once(self):
        before = self.notices(self.ben)
        self.as_agent(self.ann, "chat_transfer", "user", self.ben.id)
        told = self.notices(self.ben) - before
        self.assertEqual(told.mapped("subject"), ["A WhatsApp chat is yours now"])
        self.assertEqual(self.log(self.session)[-1], "Ann transferred the chat to Ben.")

    def test_targets_say_who_is_available_and_why_others_are_not(self):
        self.hours(self.cat, 18, 22)
        self.online(self.cat)
        targets = self.as_agent(self.ann, "chat_transfer_targets", "")
        found = {target["name"]: (target["available"], target["why"]) for target in targets if target["kind"] == "user"}
        self.assertNotIn("Ann", found)
        self.assertEqual(found["Ben"], (True, "Open chats: 0"))
        self.assertEqual(found["Cat"], (False, "Outside working hours"))
        self.assertEqual(found["Dan"], (False, "Not online"))
        self.assertEqual(sorted(targets, key=lambda target: not target["available"]), targets)
        self.assertIn(("line", "Shop"), [(target["kind"], target["name"]) for target in targets])
        self.assertEqual([one["name"] for one in self.as_agent(self.ann, "chat_transfer_targets", "be")], ["Ben"])

    def test_a_chat_goes_to_nobody_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            "elsewhere",
            "sales_team.group_sale_salesman",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        line = self.env["leadline.line"].create(
            {
                "name": "Elsewhere",
                "identifier": f"{LINE}-e",
                "company_id": company.id,
                "connection_id": self.env["leadline.connection"]
                .create(
                    {
                        "name": "E",
                        "identifier": "conn-e",
                        "url": "https://e.example.com",
                        "company_id": company.id,
                    }
                )
                .id,
            }
        )
        portal = new_test_user(self.env, "leadline_portal", "base.group_portal")
        for kind, target in (
            ("user", stranger.id),
            ("user", portal.id),
            ("user", 987654321),
            ("line", line.id),
            ("line", 987654321),
            ("team", 1),
        ):
            with self.subTest(kind=kind, target=target), self.assertRaises(UserError):
                self.as_agent(self.ann, "chat_transfer", kind, target)
        self.assertEqual(self.session.user_id, self.ann)

    def test_who_may_not_write_on_the_card_handles_nothing(self):
        lead = self.row()._lead()
        reader = new_test_user(self.env, "leadline_reader", "sales_team.group_sale_salesman")
        for method, arguments in (
            ("chat_take", ()),
            ("chat_close", ()),
            ("chat_reopen", ()),
            ("chat_transfer", ("user", self.ben.id)),
            ("chat_transfer_targets", ("",)),
        ):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(self.conversations.with_user(reader), method)("crm.lead", lead.id, "conv-1", *arguments)
            with self.subTest(method, other=True), self.assertRaises(AccessError):
                self.as_agent(self.ann, method, *arguments, identifier="conv-1-of-another-card")

    def test_open_tabs_hear_of_every_change_without_a_name(self):
        self.bus()
        for user, method, *arguments in (
            (self.ben, "chat_take"),
            (self.ben, "chat_transfer", "user", self.ann.id),
            (self.ann, "chat_close"),
            (self.ann, "chat_reopen"),
        ):
            with self.subTest(method):
                self.as_agent(user, method, *arguments)
                [told] = [one for one in self.bus() if one["event"] == "session"][:1]
                self.assertEqual((told["conversation"], told["message"]), ("conv-1", None))
                self.assertEqual(set(told), {"conversation", "message", "event", "unread", "version"})

    def test_an_owner_that_a_manager_sets_has_the_session(self):
        with Form(self.row().with_user(self.manager)) as form:
            form.user_id = self.ben
        self.assertEqual(self.session.user_id, self.ben)
        self.assertEqual(self.log(self.session)[-1], "Mia gave the chat to Ben.")

    def test_an_owner_that_a_manager_takes_away_puts_it_back_into_the_queue(self):
        self.row().with_user(self.manager).user_id = False
        self.assertEqual((self.session.state, self.session.user_id.ids), ("queued", []))
        self.forward(minutes=1)
        self.assertEqual(self.session.state, "assigned")

    def test_the_lead_goes_to_the_agent_as_the_line_says(self):
        for number, (setting, known, owner) in enumerate(
            (
                ("empty", None, self.ann),
                ("empty", self.rob, self.rob),
                ("always", self.rob, self.ann),
                ("keep", self.rob, self.rob),
                ("keep", None, self.env["res.users"]),
            )
        ):
            with self.subTest(setting, known=known):
                self.line.lead_owner = setting
                identifier = f"conv-owner-{number}"
                if known:
                    self.known(known, identifier)
                row = self.write_in(identifier)
                self.assertEqual((row._lead().user_id, row.user_id), (owner, self.ann))

    def test_crm_decides_where_the_line_says_so_or_has_nobody(self):
        self.team.user_id = self.dan
        for number, values in enumerate(({"routing": "crm"}, {"routing": "available", "member_ids": [(5,)]})):
            with self.subTest(values):
                self.line.write(values)
                row = self.write_in(f"conv-crm-{number}")
                self.assertEqual((row.user_id, row.session_id.user_id), (self.dan, self.dan))
                self.assertEqual(self.log(row.session_id), ["Dan got the chat, as CRM decided."])

    def test_a_salesperson_whom_crm_names_later_has_the_session(self):
        self.line.routing = "crm"
        row = self.write_in("conv-crm")
        self.assertEqual(row.session_id.state, "queued")
        row._lead().user_id = self.dan
        self.forward(minutes=1)
        self.assertEqual(row.session_id.user_id, self.dan)

    def test_after_the_end_the_conversation_is_the_salespersons_again(self):
        self.known(self.rob, "conv-known")
        row = self.write_in("conv-known")
        self.assertEqual((row.user_id, row._lead().user_id), (self.ann, self.rob))
        self.as_agent(self.ann, "chat_close", identifier="conv-known")
        self.assertEqual(row.user_id, self.rob)

    def test_the_stranger_is_told_of_once_to_who_got_the_chat(self):
        told = self.notices(self.ann)
        self.assertEqual(told.mapped("subject"), ["New WhatsApp message"])

    def test_closing_ends_what_somebody_was_asked_to_see_to(self):
        row = self.write_in()
        row._warn_of_closing()
        activity = row.activity_id
        self.assertTrue(activity.active)
        self.as_agent(self.ann, "chat_close")
        self.assertFalse(row.activity_id or activity.exists().active)

    def test_who_handed_a_chat_to_whom_is_in_the_audit_trail_once(self):
        self.write_in()
        self.as_agent(self.ann, "chat_transfer", "user", self.ben.id)
        [act] = self.env["leadline.audit"].search([("act", "=", "transferred")])
        self.assertEqual((act.user_id, act.detail), (self.ann, "From Ann to Ben"))

    def test_the_chats_of_who_is_archived_go_back_into_the_queue(self):
        row = self.write_in()
        self.answer(self.ann)
        self.assertEqual((row.user_id, row.session_id.user_id), (self.ann, self.ann))
        self.ann.active = False
        self.assertFalse(row.user_id)
        self.assertEqual(row.session_id.state, "queued")
        self.online(self.ben)
        self.queue(self.ben)
        self.forward(minutes=1)
        self.assertEqual((row.user_id, row.session_id.user_id), (self.ben, self.ben))

    def test_an_archived_salesperson_is_nobodys_owner(self):
        self.line.routing = "crm"
        self.known(self.cat, "conv-2")
        row = self.write_in("conv-2")
        self.assertEqual(row.user_id, self.cat)
        self.cat.active = False
        self.assertFalse(row.user_id)
        self.write_in("conv-2")
        self.assertNotEqual(row.session_id.user_id, self.cat)

    def test_what_is_opened_again_after_days_is_not_closed_for_its_silence_at_once(self):
        self.answer(self.ann)
        self.as_agent(self.ann, "chat_close")
        self.forward(days=2)
        self.as_agent(self.ben, "chat_reopen")
        self.forward(hours=1)
        self.assertEqual((self.session.state, self.session.user_id), ("assigned", self.ben))
        self.forward(days=1)
        self.assertEqual((self.session.state, self.session.ending), ("closed", "time"))

from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, new_test_user

from .common import CONNECTION, LINE, LeadlineCase, conversation, event
from .common_service import CODE, FRESH_SECRET, LINK, ServiceCase


class PairingCase(ServiceCase, LeadlineCase):
    def setUp(self):
        super().setUp()
        self.connection.unlink()
        self.play()
        self.secret = FRESH_SECRET

    def wizard(self, **changed):
        """Return the wizard as an administrator fills it in."""
        with Form(self.env["leadline.pairing"]) as form:
            form.url = changed.get("url", self.service_url)
            form.code = changed.get("code", CODE)
            form.odoo_url = changed.get("odoo_url", "https://odoo.example.com")
        return form.record

    def paired(self):
        wizard = self.wizard()
        wizard.action_pair()
        return wizard

    def connected(self):
        return self.env["leadline.connection"].search([])


class TestPairing(PairingCase):
    def test_a_code_makes_a_connection_with_its_lines(self):
        wizard = self.paired()
        connection = self.connected()
        self.assertEqual((connection.identifier, connection.secret), (CONNECTION, FRESH_SECRET))
        self.assertEqual((connection.url, connection.state), (self.service_url, "connected"))
        self.assertEqual(connection.line_ids.mapped("identifier"), [LINE])
        self.assertEqual(wizard.state, "chain")
        self.assertFalse(wizard.code or wizard.claim)

    def test_the_service_is_told_where_this_odoo_is(self):
        self.paired()
        [told] = self.exchanges
        self.assertEqual(told["place"], {"url": "https://odoo.example.com", "database": self.env.cr.dbname})
        self.assertGreaterEqual(len(told["claim"]), 22)

    def test_asked_again_the_wizard_names_the_same_claim(self):
        wizard = self.wizard()
        for _ in range(2):
            wizard._exchange(self.service_url)
        self.assertEqual(len({told["claim"] for told in self.exchanges}), 1)

    def test_addresses_are_taken_as_people_paste_them(self):
        wizard = self.wizard(url=f" {self.service_url}/chat/ ")
        wizard.action_pair()
        self.assertEqual(self.connected().url, self.service_url)

    def test_what_is_wrong_is_said_and_nothing_is_made(self):
        problems = {
            "does not know this code": (404, {"code": "pairing_code_unknown", "detail": "…"}),
            "has run out": (410, {"code": "pairing_code_expired", "detail": "…"}),
            "was used already": (409, {"code": "pairing_code_used", "detail": "…"}),
            "something else than a Leadline service": (404, {"code": "http", "detail": "Not Found"}),
            "answered with an error": (500, {}),
        }
        wizard = self.wizard()
        for sentence, problem in problems.items():
            self.problem = problem
            with self.subTest(sentence), self.assertRaisesRegex(UserError, sentence):
                wizard.action_pair()
        wizard.url = "https://nothing.invalid"
        with self.assertRaises(UserError):
            wizard.action_pair()
        self.assertFalse(self.connected())

    def test_pairing_again_keeps_lines_and_conversations(self):
        self.paired()
        connection = self.connected()
        self.conversations._apply_events(connection, [event()])
        row = self.row()
        self.secret = "C" * 43
        self.paired()
        self.assertEqual(self.connected(), connection)
        self.assertEqual(connection.secret, "C" * 43)
        self.assertTrue(row.exists())

    def test_a_line_of_a_connection_that_was_given_up_comes_along(self):
        older = self.env["leadline.connection"].create({"identifier": "older", "url": "https://older.example.com"})
        line = self.env["leadline.line"].create({"name": "Shop", "identifier": LINE, "connection_id": older.id})
        self.paired()
        self.assertEqual(line.connection_id.identifier, CONNECTION)

    def test_the_buttons_of_form_and_list_open_the_wizard(self):
        self.paired()
        connection = self.connected()
        # As the web client calls them: with the records that are shown, or none.
        for ids, address in ((connection.ids, connection.url), ([], False)):
            action = call_kw(self.env["leadline.connection"], "action_pair", [ids], {})
            self.assertEqual((action["res_model"], action["target"]), ("leadline.pairing", "new"))
            self.assertEqual(action["context"], {"default_url": address})

    def test_only_system_administrators_pair(self):
        manager = new_test_user(self.env, "leadline_pairing_manager", "sales_team.group_sale_manager")
        wizard = self.paired()
        with self.assertRaises(AccessError):
            self.env["leadline.pairing"].with_user(manager).create({})
        for method in ("chain", "check_again", "action_pair"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(wizard.with_user(manager), method)()
        with self.assertRaises(AccessError):
            self.connected().with_user(manager).action_unpair()


class TestChain(PairingCase):
    def chain(self, wizard):
        return wizard.chain()

    def test_each_link_is_looked_at(self):
        wizard = self.paired()
        chain = wizard.chain()
        self.assertEqual(chain["service"]["state"], "ok")
        self.assertEqual(chain["odoo"]["state"], "wait")
        self.assertEqual(self.place, {"url": "https://odoo.example.com", "database": self.env.cr.dbname})
        self.reach["check"] = "check-1"
        chain = wizard.chain()
        self.assertEqual(chain["odoo"]["state"], "ok")
        self.assertEqual(self.connected().way, "pushed")
        [line] = chain["lines"]
        self.assertEqual((line["number"], line["link"]), ("+1 202 555 0100", LINK["link"]))
        self.assertEqual(chain["chat_url"], f"{self.service_url}/chat")

    def test_a_link_that_would_be_run_here_is_not_shown(self):
        self.lines[0]["link"] = "javascript:alert(1)"
        self.assertEqual(self.paired().chain()["lines"], [])

    def test_a_way_that_is_closed_is_named_and_odoo_fetches(self):
        wizard = self.paired()
        wizard.chain()
        closed = {"dns": "leads nowhere", "private": "private network", "not_found": "no Leadline module"}
        for code, words in closed.items():
            self.reach |= {"way": "pulled", "code": code, "check": "check-1"}
            link = wizard.chain()["odoo"]
            with self.subTest(code):
                self.assertEqual(link["state"], "warn")
                self.assertIn(words, link["text"])
                self.assertIn("every minute", link["text"])
                self.assertTrue(link["mend"])
        self.assertEqual(self.connected().way, "pulled")

    def test_a_queue_that_does_not_run_is_said_after_a_minute(self):
        wizard = self.paired()
        with freeze_time(datetime.now()):
            wizard.chain()
        with freeze_time(datetime.now() + timedelta(seconds=61)):
            link = wizard.chain()["odoo"]
        self.assertEqual(link["state"], "bad")
        self.assertIn("leadline doctor", link["mend"])

    def test_trying_again_asks_for_another_check(self):
        wizard = self.paired()
        wizard.chain()
        wizard.check_again()
        wizard.chain()
        self.assertEqual(self.asked.count(("POST", "/chat/v1/connection/check")), 2)

    def test_a_service_that_went_away_is_the_only_link_shown(self):
        wizard = self.paired()
        self.secret = "C" * 43
        chain = wizard.chain()
        self.assertEqual(chain, {"service": {"state": "bad", "text": chain["service"]["text"]}})
        self.assertIn("does not know this connection", chain["service"]["text"])
        self.assertEqual(self.connected().state, "failed")

    def test_a_clock_that_is_wrong_is_named(self):
        wizard = self.paired()
        self.problem = 401, {"code": "clock_wrong", "detail": "…"}
        self.assertIn("clock", wizard.chain()["service"]["text"])

    def test_a_line_that_is_added_meanwhile_appears(self):
        self.lines = []
        wizard = self.paired()
        self.assertEqual(wizard.chain()["lines"], [])
        self.lines = [{"id": LINE, "phone_number_id": "1", "number": "+15550100001", "name": "Shop"} | LINK]
        self.assertEqual(len(wizard.chain()["lines"]), 1)

    def test_the_first_message_is_seen_and_leads_to_its_lead(self):
        wizard = self.paired()
        self.assertIsNone(wizard.chain()["message"])
        now = (datetime.now() + timedelta(seconds=5)).isoformat(timespec="seconds") + "Z"
        self.conversations._apply_events(self.connected(), [event(conversation(last_in=now))])
        message = wizard.chain()["message"]
        self.assertEqual((message["model"], message["id"]), ("crm.lead", self.row().lead_ids.id))


class TestWhereItOpens(PairingCase):
    def test_an_empty_inbox_offers_pairing_to_administrators_only(self):
        action = self.env.ref("leadline.leadline_conversation_action")
        self.assertIn("Connect WhatsApp", action.with_user(self.env.ref("base.user_admin")).read()[0]["help"])
        agents = self.conversations.with_user(self.agent).get_empty_list_help("")
        self.assertIn("Ask an administrator", agents)
        self.paired()
        self.assertNotIn("not connected", str(self.conversations.get_empty_list_help("usual")))

    def test_apps_goes_on_with_pairing_until_it_is_done(self):
        todo = self.env.ref("leadline.pairing_todo")
        todo.state = "open"
        self.assertEqual(todo.action_launch()["type"], "ir.actions.act_url")
        todo.state = "open"
        self.paired()
        self.assertEqual(todo.state, "done")

    def test_the_connection_opens_the_wizard_with_its_address(self):
        self.paired()
        action = self.connected().action_pair()
        self.assertEqual(action["context"], {"default_url": self.service_url})


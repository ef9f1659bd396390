"""Who may do what, asked as each kind of person through JSON-RPC, as their browser would.

A method that a browser can call and that is not listed here fails `test_every_method_and_route_is_listed`: whoever adds
one says who may call it.
"""

import inspect
import json
import logging

from odoo.http import Controller
from odoo.tests import HttpCase, JsonRpcException, new_test_user
from odoo.tools import mute_logger

from ..tools.keys import derive
from .common import SECRET, LeadlineCase, conversation
from .test_grant import read_grant

_logger = logging.getLogger(__name__)

MODULE = "odoo.addons.leadline."

AGENT, COLLEAGUE, READER, MANAGER = "agent of the record", "other agent", "reader of the record", "manager"
SYSTEM, ELSEWHERE, PORTAL, PUBLIC = "administrator", "other company's manager", "portal", "public"
EVERYBODY = (AGENT, COLLEAGUE, READER, MANAGER, SYSTEM, ELSEWHERE, PORTAL, PUBLIC)

READS = {AGENT, READER, MANAGER}
WRITES = {AGENT, MANAGER}
AGENTS = {AGENT, COLLEAGUE, READER, MANAGER, ELSEWHERE}
SEES_LINKS = {AGENT, COLLEAGUE, READER, MANAGER, SYSTEM}
SETS_UP = {SYSTEM}
DECIDES = {AGENT, COLLEAGUE, MANAGER, SYSTEM}
NOBODY = set()

PICTURE = {"type": "image", "filename": "a.png", "mime": "image/png", "size": 9}

CARD = {
    # Method of `leadline.conversation` on a card: what follows model and id, and who may.
    "chat_open": ((), READS),
    "chat_grant": (("conv-1",), READS),
    "chat_answering": (("conv-1",), WRITES),
    "chat_mentions": (("conv-1", ""), READS),
    "chat_note_alert": (("conv-1", "note-1", []), READS),
    "chat_invite": (("conv-1", AGENT), READS),
    "chat_record_consent": (("conv-1",), WRITES),
    "chat_records": (("conv-1",), READS),
    "chat_find_records": (("conv-1", ""), READS),
    "chat_switch": (("conv-1", "res.partner", "partner"), WRITES),
    "chat_lead": (("conv-1",), WRITES),
    "chat_take": (("conv-1",), WRITES),
    "chat_close": (("conv-1",), WRITES),
    "chat_reopen": (("conv-1",), WRITES),
    "chat_transfer": (("conv-1", "user", AGENT), WRITES),
    "chat_transfer_targets": (("conv-1", ""), WRITES),
    "chat_learn": (("conv-1", "email", "ada@example.com", ""), WRITES),
    "chat_templates": (("line-test",), READS),
    "chat_template_values": (("line-test", "hello", "en"), READS),
    "chat_start_upload": (("line-test", PICTURE), WRITES),
    "chat_start": (("line-test", {"client_id": "client-1"}), WRITES),
}
METHODS = {
    # Method: its arguments, and who may.
    ("leadline.conversation", "chat_canned"): (("",), AGENTS),
    ("leadline.conversation", "chat_canned_used"): (([],), AGENTS),
    ("leadline.conversation", "inbox_status"): ((), AGENTS),
    ("leadline.session", "action_open_chat"): (("session",), {AGENT, MANAGER, SYSTEM}),
    ("leadline.connection", "action_check"): (("connection",), SETS_UP),
    ("leadline.link", "action_refresh"): (("link",), SEES_LINKS),
    ("leadline.link", "action_report"): (("link",), SEES_LINKS),
    ("leadline.audit", "action_open"): ((), {MANAGER, SYSTEM, ELSEWHERE}),
    ("leadline.erasure", "action_erase"): (("erasure",), {MANAGER}),
    ("res.partner", "action_leadline_export"): (("partner",), {MANAGER}),
    ("res.partner", "action_leadline_erase"): (("partner",), {MANAGER}),
    ("crm.lead", "action_leadline_link"): (("lead",), READS - {READER}),
    ("res.partner", "action_leadline_link"): (("partner",), SEES_LINKS),
    ("utm.campaign", "action_leadline_link"): (("campaign",), SEES_LINKS | {ELSEWHERE}),
    ("leadline.pairing", "action_pair"): (("pairing",), SETS_UP),
    ("leadline.connection", "action_pair"): (("connection",), SETS_UP),
    # The last: nothing is left afterwards.
    ("leadline.connection", "action_unpair"): (("connection",), SETS_UP),
    # Who may write both contacts decides; who may merge contacts in Odoo joins.
    ("leadline.double", "action_different"): (("double",), DECIDES),
    ("leadline.double", "action_reopen"): (("double",), DECIDES),
    ("leadline.double", "action_keep_first"): (("double",), {SYSTEM}),
    ("leadline.double", "action_keep_second"): (("other double",), {SYSTEM}),
}
BY_ACCESS_RULES = {"create", "write", "unlink", "get_empty_list_help"}
"""What Odoo's own access rules guard, which `TestAccessRules` holds, or what Odoo answers anybody."""

BY_WIZARD = {("leadline.pairing", "chain"), ("leadline.pairing", "check_again")}
"""They read their wizard first, which only its own administrator may, and then the network: not called here."""

ROUTES = {
    # Signed; who calls is nobody until the signature has been checked.
    "/leadline/events": "public",
    "/leadline/file": "user",
    "/leadline/contact/<int:partner_id>/archive": "user",
}

REFUSALS = ("AccessError", "AccessDenied", "SessionExpiredException", "MissingError", "Forbidden")


def public_methods(model):
    """Return the names of a model's methods that a browser may call and that this module defines."""
    return {
        name
        for cls in type(model).__mro__
        if cls.__module__.startswith(MODULE)
        for name, member in vars(cls).items()
        if inspect.isfunction(member) and not name.startswith("_") and not getattr(member, "_api_private", False)
    }


SEEN = {}
"""What each kind of person may do, for the table in the log."""

WITHOUT_COMPANY = {
    "leadline.claim": "names of nothing, for the system alone",
    "leadline.session.message": "ids of messages, for the system alone",
    "leadline.mention": "ids of notes, for the system alone",
    "leadline.notice": "what owners are still to be told, for the system alone",
    "leadline.tag": "words for all companies, as CRM's own tags",
}


class TestRights(HttpCase, LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        elsewhere = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.users = {
            AGENT: cls.agent,
            COLLEAGUE: new_test_user(cls.env, "rights_colleague", "sales_team.group_sale_salesman"),
            # May read contacts, as every employee, and write none.
            READER: new_test_user(cls.env, "rights_reader", "leadline.group_agent"),
            MANAGER: new_test_user(cls.env, "rights_manager", "sales_team.group_sale_manager"),
            SYSTEM: new_test_user(cls.env, "rights_system", "base.group_system,base.group_partner_manager"),
            ELSEWHERE: new_test_user(
                cls.env,
                "rights_elsewhere",
                "sales_team.group_sale_manager",
                company_id=elsewhere.id,
                company_ids=[(6, 0, elsewhere.ids)],
            ),
            PORTAL: new_test_user(cls.env, "rights_portal", "base.group_portal"),
        }

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        actions = ("read", "send", "note", "transfer", "settings", "grant")
        rows = [
            f"{who:26}" + "".join(f"{'yes' if may[action] else '–':>10}" for action in actions)
            for who, may in SEEN.items()
        ]
        head = " " * 26 + "".join(f"{action:>10}" for action in actions)
        _logger.info("Rights, as Odoo and the grants that it gave say:\n%s", "\n".join([head, *rows]))

    def setUp(self):
        super().setUp()
        self.serve()
        head = {"id": "conv-1", "contact": {"id": "contact-1", "name": "Ada"}}
        answer = {"items": [], "next": None, "conversation": head, "clicks": 0, "days": {}, "more": False}
        self.service.answer = 200, json.dumps(answer).encode()
        self.talk = self.met()
        self.lead, self.partner = self.talk.lead_ids, self.talk.partner_id
        self.lead.user_id = self.agent
        # A card of the company, so that nobody of another one may read it.
        self.partner.company_id = self.env.company
        link = {"name": "Poster", "identifier": "link-1", "reference": "K7M4PW", "line_id": self.line.id}
        doubles = [
            {
                "partner_id": self.partner.id,
                "other_id": self.env["res.partner"].create({"name": name, "company_id": self.env.company.id}).id,
                "reason": "name",
                "company_id": self.env.company.id,
            }
            for name in ("Ada Exampel", "Ada Exampla")
        ]
        double, other = self.env["leadline.double"].create(doubles)
        self.ids = {
            "double": double.ids,
            "other double": other.ids,
            "lead": self.lead.ids,
            "session": self.talk.session_id.ids,
            "connection": self.connection.ids,
            "link": self.env["leadline.link"].create(link).ids,
            # A wizard is its user's own.
            "pairing": self.env["leadline.pairing"].with_user(self.users[SYSTEM]).create({}).ids,
            "erasure": self.env["leadline.erasure"].create({"partner_id": self.partner.id}).ids,
            "campaign": self.env["utm.campaign"].create({"title": "Spring"}).ids,
        }

    # ------------------------------------------------------------
    # Asking
    # ------------------------------------------------------------

    def be(self, who):
        self.who = who
        login = self.users[who].login if who != PUBLIC else None
        self.authenticate(login, login)

    @property
    def card(self):
        """Return the card on which this person works: who sees no leads has the contact's."""
        return self.partner if self.who == READER else self.lead

    def call(self, model, method, *arguments, **named):
        """Call a method as a browser does. Returns what it answers; raises `JsonRpcException`."""
        params = {"model": model, "method": method, "args": list(arguments), "kwargs": named}
        return self.make_jsonrpc_request(f"/web/dataset/call_kw/{model}/{method}", params, timeout=60)

    def may(self, model, method, *arguments):
        """Say whether a call is allowed; a fault of any other kind fails the test.

        A method that gets as far as saying what is wrong with the call has let the caller pass.
        """
        try:
            # A refusal is logged as a warning.
            with mute_logger("odoo.http"):
                self.call(model, method, *arguments)
        except JsonRpcException as error:
            if error.args and any(name in str(error) for name in REFUSALS):
                return False
            if not str(error).endswith("UserError"):
                raise
        return True

    def filled(self, arguments, *, on_card):
        """Return arguments with what stands for ids filled in."""
        ids = (
            {"partner": self.partner.id, AGENT: self.agent.id} if on_card else self.ids | {"partner": self.partner.ids}
        )
        return [ids.get(one, one) if isinstance(one, str) else one for one in arguments]

    # ------------------------------------------------------------
    # The matrix
    # ------------------------------------------------------------

    def check(self, who):
        self.be(who)
        card = (self.card._name, self.card.id)
        for method, (more, allowed) in CARD.items():
            with self.subTest(method):
                arguments = (*card, *self.filled(more, on_card=True))
                self.assertEqual(self.may("leadline.conversation", method, *arguments), who in allowed)
        SEEN[who] = self.measured(card)
        expected = {
            "read": who in READS,
            "send": who in WRITES,
            "note": who in READS,
            "transfer": who in WRITES,
            "settings": who in {MANAGER, SYSTEM},
            "grant": who in READS,
        }
        self.assertEqual(SEEN[who], expected)
        for (model, method), (arguments, allowed) in METHODS.items():
            with self.subTest(f"{model}.{method}"):
                self.assertEqual(self.may(model, method, *self.filled(arguments, on_card=False)), who in allowed)

    def measured(self, card):
        """Return what this person may do, by what Odoo answers and what the grant says that it gave."""
        reads = self.may("leadline.conversation", "chat_open", *card)
        grant, can = self.may("leadline.conversation", "chat_grant", *card, "conv-1"), []
        if grant:
            given = self.call("leadline.conversation", "chat_grant", *card, "conv-1")
            _, claims = read_grant(given["token"], derive(SECRET, "grants"))
            can = claims["can"]
            self.assertEqual((claims["conversation"], claims["sub"]), ("conv-1", str(self.users[self.who].id)))
            self.assertLessEqual(claims["exp"] - claims["iat"], 300)
        return {
            "read": reads and "read" in can,
            "send": "send" in can,
            "note": "note" in can,
            "transfer": self.may("leadline.conversation", "chat_transfer", *card, "conv-1", "user", self.agent.id),
            "settings": self.may("leadline.line", "write", self.line.ids, {"name": "Shop"}),
            "grant": grant,
        }

    def test_the_agent_of_the_record_reads_and_writes(self):
        self.check(AGENT)

    def test_another_agent_sees_nothing_of_it(self):
        self.check(COLLEAGUE)

    def test_who_may_only_read_the_record_reads_and_leaves_notes(self):
        self.check(READER)

    def test_a_manager_may_everything_but_set_up_the_connection(self):
        self.check(MANAGER)

    def test_an_administrator_sets_up_and_sees_no_chat(self):
        self.check(SYSTEM)

    def test_another_company_sees_nothing(self):
        self.check(ELSEWHERE)

    def test_a_customer_with_a_login_sees_nothing(self):
        self.check(PORTAL)

    def test_the_public_sees_nothing(self):
        self.check(PUBLIC)

    def test_the_owner_of_a_conversation_may_read_it_whatever_its_cards(self):
        self.lead.user_id = self.env.user
        self.talk.user_id = self.users[COLLEAGUE]
        self.be(COLLEAGUE)
        self.assertTrue(
            self.may("leadline.conversation", "chat_grant", "leadline.conversation", self.talk.id, "conv-1")
        )
        self.assertFalse(self.may("leadline.conversation", "chat_grant", "crm.lead", self.lead.id, "conv-1"))

    def test_a_card_gives_no_way_to_another_conversation(self):
        self.met(conversation("conv-other", contact={"id": "contact-2", "name": "Bo", "phone": "+12025550199"}))
        self.be(AGENT)
        for method, (more, _) in CARD.items():
            if "conv-1" not in more:
                continue
            with self.subTest(method):
                arguments = ["conv-other" if one == "conv-1" else one for one in self.filled(more, on_card=True)]
                self.assertFalse(self.may("leadline.conversation", method, "crm.lead", self.lead.id, *arguments))

    def test_who_works_in_two_companies_sees_those_that_are_switched_on(self):
        both = self.users[ELSEWHERE]
        both.company_ids |= self.env.company
        self.be(ELSEWHERE)
        for active, seen in (([both.company_id.id], 0), (both.company_ids.ids, 1)):
            context = {"allowed_company_ids": active}
            found = self.call("leadline.conversation", "search_count", [["identifier", "=", "conv-1"]], context=context)
            self.assertEqual(found, seen)

    # ------------------------------------------------------------
    # Nothing is forgotten
    # ------------------------------------------------------------

    def test_every_method_and_route_is_listed(self):
        found = {(name, method) for name in self.env.registry for method in public_methods(self.env[name])}
        found = {(name, method) for name, method in found if method not in BY_ACCESS_RULES}
        listed = {("leadline.conversation", method) for method in CARD} | set(METHODS) | BY_WIZARD
        self.assertEqual(found - listed, set(), "Say in CARD or METHODS who may call these.")
        self.assertEqual(listed - found, set(), "These are gone.")
        routes = {
            route: endpoint.original_routing.get("auth", "user")
            for cls in Controller.children_classes["leadline"]
            for endpoint in vars(cls).values()
            if hasattr(endpoint, "original_routing")
            for route in endpoint.original_routing["routes"]
        }
        self.assertEqual(routes, ROUTES, "Say in ROUTES who may ask for these.")


class TestAccessRules(LeadlineCase):
    def models(self):
        return [model for name in self.env.registry if name.startswith("leadline.") and not (model := self.env[name])]

    def test_every_model_says_who_may_read_it(self):
        guarded = set(self.env["ir.model.access"].search([("active", "=", True)]).model_id.mapped("model"))
        open_ = [
            access.name
            for access in self.env["ir.model.access"].search([("model_id.model", "=like", "leadline.%")])
            if not access.group_id
        ]
        self.assertEqual({model._name for model in self.models() if not model._abstract} - guarded, set())
        self.assertEqual(open_, [], "Access for everybody, portal and public included.")

    def test_every_model_with_a_company_keeps_to_it(self):
        rules = self.env["ir.rule"].search([("model_id.model", "=like", "leadline.%")])
        kept = {rule.model_id.model for rule in rules if not rule.groups and "company_ids" in (rule.domain_force or "")}
        stored = {model._name for model in self.models() if not model._abstract and not model._transient}
        self.assertEqual(stored - kept - set(WITHOUT_COMPANY), set())
        self.assertFalse([name for name in WITHOUT_COMPANY if "company_id" in self.env[name]._fields])

    def test_outsiders_have_no_access_to_any_model(self):
        for group in ("base.group_portal", "base.group_public"):
            user = new_test_user(self.env, f"rights_{group[11:]}", group)
            for model in self.models():
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(f"{group} {operation} {model._name}"):
                        self.assertFalse(model.with_user(user).has_access(operation))

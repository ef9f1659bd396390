from .common import LeadlineCase, conversation, event, health, line, line_event, template


class TestHealth(LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.env["res.users"].create(
            {
                "name": "Manager",
                "login": "leadline_health",
                "notification_type": "inbox",
                "group_ids": [(6, 0, cls.env.ref("leadline.group_manager").ids)],
            }
        )

    def notices(self, user=None):
        """Return the subjects of what a user was notified of, oldest first."""
        found = self.env["mail.message"].search(
            [
                ("message_type", "=", "user_notification"),
                ("notified_partner_ids", "in", (user or self.manager).partner_id.ids),
            ],
            order="id",
        )
        return found.mapped("subject")

    def tell(self, type_, **changed):
        [result] = self.apply(line_event(type_, **changed))
        self.assertEqual((result["ok"], result.get("records")), (True, []), result)

    def test_a_line_that_is_held_says_why_and_since_when_and_managers_hear_of_it_once(self):
        told = line_event("line.health", health=health())
        self.apply(told, told)
        self.apply(told)
        self.assertEqual((self.line.sending, str(self.line.held_since)), ("held", "2026-11-20 09:59:00"))
        self.assertEqual(self.line.held_reason, "Add a payment method in Meta's settings.")
        self.assertEqual((self.line.quality, self.line.messaging_limit), ("GREEN", "TIER_1K"))
        self.assertEqual(self.notices(), ["WhatsApp sending is stopped: Shop"])
        self.assertEqual(self.notices(self.agent), [], "agents see it in the chat")

    def test_what_holds_a_line_is_said_in_the_language_of_who_reads_it(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.manager.lang = "es_ES"
        expired = {"plain": "The line's access token has expired or was withdrawn; an admin must renew it."}
        self.tell("line.health", health=health(error=expired))
        self.assertEqual(self.line.held_words, expired["plain"])
        said = "El token de acceso de la línea ha caducado o se ha retirado; un administrador debe renovarlo."
        self.assertEqual(self.line.with_context(lang="es_ES").held_words, said)
        self.assertEqual(self.notices(), ["El envío por WhatsApp está detenido: Shop"])

    def test_a_line_that_works_again_says_so_and_a_new_trouble_is_told_again(self):
        self.tell("line.health", health=health())
        well = health(sending="ok", error=None, since=None)
        self.tell("line.health", health=well, at="2026-11-20T10:05:00Z")
        self.assertEqual((self.line.sending, self.line.held_reason, self.line.held_since), ("ok", False, False))
        self.tell("line.health", health=health(), at="2026-11-20T10:06:00Z")
        self.assertEqual(len(self.notices()), 2)

    def test_what_a_checkup_found_is_shown_with_how_to_mend_it_and_managers_hear_once(self):
        token = {"check": "token", "state": "bad", "seen": "it has run out", "mend": "Enter another one."}
        paused = {"check": "templates", "state": "warn", "seen": "paused: sale", "mend": None}
        well = {"sending": "ok", "error": None, "since": None}
        self.tell("line.health", health=health(**well, problems=[paused], graph="slow"))
        self.assertEqual((self.line.checkup, self.line.problems), ("warn", "templates: paused: sale"))
        self.assertTrue(self.line.is_slow)
        self.assertEqual(self.notices(), [])
        for minute in (5, 6):
            told = health(**well, problems=[token, paused], graph="ok")
            self.tell("line.health", health=told, at=f"2026-11-20T10:0{minute}:00Z")
        self.assertEqual((self.line.checkup, self.line.is_slow), ("bad", False))
        self.assertIn("token: it has run out → Enter another one.", self.line.problems)
        self.assertEqual(self.notices(), ["The WhatsApp line Shop needs an admin"])
        self.tell("line.health", health=health(**well, problems=[]), at="2026-11-20T10:10:00Z")
        self.assertEqual((self.line.checkup, self.line.problems), ("ok", False))

    def test_problems_of_another_shape_are_let_be(self):
        for problems in (None, "none", [None, 7, {"check": 3}], {}):
            self.tell("line.health", health=health(problems=problems))

    def test_older_news_change_nothing(self):
        self.tell("line.health", health=health(sending="ok", error=None), at="2026-11-20T11:00:00Z")
        self.tell("line.health", health=health(), at="2026-11-20T10:00:00Z")
        self.assertEqual(self.line.sending, "ok")
        self.assertEqual(self.notices(), [])

    def test_what_comes_in_goes_on_while_sending_is_held(self):
        results = self.apply(line_event("line.health", health=health()), event())
        self.assertEqual([result["ok"] for result in results], [True, True])
        self.assertEqual(self.row().received_count, 1)

    def test_a_line_nobody_has_heard_of_is_made(self):
        self.tell("line.health", line=line("line-new", name="New shop"), health=health())
        self.assertEqual(self.env["leadline.line"].search([("identifier", "=", "line-new")]).sending, "held")

    def test_a_template_that_is_paused_is_told_once_and_one_that_is_approved_is_not(self):
        self.tell("template.updated", template=template())
        self.assertEqual(self.notices(), [])
        paused = template(status="PAUSED", reason="Low quality")
        for _time in range(2):
            self.tell("template.updated", template=paused, at="2026-11-20T10:05:00Z")
        self.assertEqual(self.notices(), ["WhatsApp template can't be sent: order_ready"])
        mirror = self.env["leadline.template"].search([])
        self.assertEqual((mirror.status, mirror.reason, mirror.line_id), ("PAUSED", "Low quality", self.line))
        self.tell("template.updated", template=template(), at="2026-11-20T10:04:00Z")
        self.assertEqual(mirror.status, "PAUSED")

    def test_languages_of_one_name_are_templates_of_their_own(self):
        for language in ("en_US", "pt_BR"):
            self.tell("template.updated", template=template(language=language, status="REJECTED"))
        self.assertEqual(len(self.notices()), 2)

    def test_events_that_lack_what_they_are_about_are_refused(self):
        for raw in (
            line_event("line.health"),
            line_event("template.updated", template={}),
            line_event("line.health", health=health(), at=None),
            line_event("line.health", health=health(), line=None),
        ):
            with self.subTest(raw["type"]):
                [result] = self.apply(raw)
                self.assertTrue(result["refused"].endswith("."))

    def test_strange_words_never_cost_the_event(self):
        self.tell("line.health", health=health(error="?", quality=7, limit=["x"], since=None))
        self.assertEqual((self.line.sending, self.line.held_reason), ("held", ""))
        self.assertEqual(str(self.line.held_since), "2026-11-20 10:00:01")

    def test_lines_of_another_connection_are_left_alone(self):
        other = self.connection.copy({"identifier": "conn-other", "name": "Other"})
        result = self.conversations._apply_events(other, [line_event("line.health", health=health())])
        self.assertEqual(result[0]["refused"], "The line belongs to another connection.")
        self.assertEqual(self.line.sending, "ok")

    def test_open_tabs_hear_of_the_line(self):
        told = []
        self.patch(
            type(self.env["res.groups"]), "_bus_send", lambda _self, type_, payload: told.append((type_, payload))
        )
        self.apply(line_event("line.health", health=health()), line_event("template.updated", template=template()))
        self.assertEqual(
            told,
            [
                ("leadline/line", {"line": "line-test", "event": "line.health"}),
                ("leadline/line", {"line": "line-test", "event": "template.updated"}),
            ],
        )
        self.apply(event(conversation()))
        self.assertEqual(told[-1][0], "leadline/conversation")

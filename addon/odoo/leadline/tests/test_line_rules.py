import json

from odoo.exceptions import UserError, ValidationError

from .common import LeadlineCase, conversation, event, line


class TestLineRules(LeadlineCase):
    """What is decided for a line is what the service keeps to."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.service.answer = 200, b"{}"

    def told(self):
        return [json.loads(body) for _, path, _, body in self.service.calls if path.endswith("/rules")]

    def test_what_a_manager_decides_is_told(self):
        self.line.write(
            {
                "marketing_rule": "opt_out",
                "stop_words": "basta ya,  no más;\nnej tak",
                "notice_text": "Your data: ",
                "notice_url": "https://shop.example/privacy",
            }
        )
        [rules] = self.told()
        self.assertFalse(rules["opt_in"])
        self.assertEqual(rules["stop_words"], ["basta ya", "no más", "nej tak"])
        self.assertEqual(rules["notice"], "Your data:\nhttps://shop.example/privacy")
        self.assertEqual(rules["language"], self.env.company.partner_id.lang)
        self.assertTrue(self.line.rules_told)

    def test_what_the_service_does_not_take_is_not_saved(self):
        self.service.answer = 503, b""
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.line.marketing_rule = "opt_out"
        self.line.invalidate_recordset()
        self.assertEqual(self.line.marketing_rule, "opt_in")

    def test_other_settings_of_a_line_need_no_service(self):
        self.service.answer = 503, b""
        self.line.name = "Shop in town"
        self.assertEqual(self.told(), [])

    def test_a_line_that_appears_is_told_of_by_and_by(self):
        self.apply(event(conversation("conv-new", line=line("line-new"))))
        self.env["leadline.consent.telling"]._cron_tell()
        paths = [path for _, path, _, _ in self.service.calls if path.endswith("/rules")]
        self.assertIn("/base/chat/v1/lines/line-new/rules", paths)
        self.service.calls.clear()
        self.env["leadline.consent.telling"]._cron_tell()
        self.assertEqual(self.told(), [])

    def test_a_notices_link_and_words_must_be_such(self):
        for values in (
            {"notice_text": "Hi", "notice_url": "javascript:alert(1)"},
            {"notice_url": "https://shop.example"},
            {"stop_words": "x"},
            {"stop_words": ",".join(f"word {number}" for number in range(51))},
        ):
            with self.subTest(values), self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.line.write(values)

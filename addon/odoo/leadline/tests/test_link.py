import json

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user

from .common import SECRET, LeadlineCase

MADE = {
    "id": "link-1",
    "reference": "K7M4PW",
    "url": "https://wa.me/12025550100?text=Hi%20%28K7M-4PW%29",
    "short": "https://chat.example.com/chat/v1/l/spring",
}


class TestLink(LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marketer = new_test_user(cls.env, "leadline_marketer", "leadline.group_marketing")

    def setUp(self):
        super().setUp()
        self.serve()
        self.says(MADE)

    def says(self, document, status=200):
        self.service.answer = status, json.dumps(document).encode()

    def make(self, user=None, **values):
        links = self.env["leadline.link"].with_user(user or self.marketer)
        return links.create({"name": "Spring poster", "line_id": self.line.id, "text": "Hi"} | values)

    def told(self):
        """Return method, path and body of what the service was told last."""
        method, path, _connection, body = self.service.calls[-1]
        return method, path, json.loads(body or b"null")

    def test_a_new_link_is_made_at_the_service_with_all_that_was_chosen(self):
        source, medium, campaign = (
            self.env[model].create({"name": name}).id
            for model, name in (("utm.source", "Poster"), ("utm.medium", "Print"), ("utm.campaign", "Spring sale"))
        )
        link = self.make(
            source_id=source,
            medium_id=medium,
            campaign_id=campaign,
            user_id=self.agent.id,
            team_id=self.team.id,
            tag_id=self.env["crm.tag"].create({"name": "Walk-in"}).id,
            expires="2027-01-01 10:00:00",
            slug="spring",
        )
        self.assertEqual(
            self.told(),
            (
                "POST",
                "/base/chat/v1/links",
                {
                    "line": "line-test",
                    "slug": "spring",
                    "text": "Hi",
                    "label": "Spring poster",
                    "source": "Poster",
                    "medium": "Print",
                    "campaign": "Spring sale",
                    "owner": {"id": str(self.agent.id), "name": self.agent.name},
                    "team": "WhatsApp team",
                    "tag": "Walk-in",
                    "expires": "2027-01-01T10:00:00Z",
                },
            ),
        )
        self.assertEqual((link.identifier, link.short_url), ("link-1", MADE["short"]))
        self.assertEqual(link.prefilled, "Hi (K7M-4PW)")
        self.assertEqual(link.qr_svg_url, f"{MADE['short']}/qr.svg?colour=%23000000")
        self.assertIn(f'data-link="{MADE["short"]}"', link.snippet)

    def test_a_change_is_told_and_what_is_printed_stays(self):
        link = self.make()
        link.write({"name": "Summer poster", "text": "Hello"})
        method, path, body = self.told()
        self.assertEqual((method, path), ("PUT", "/base/chat/v1/links/link-1"))
        self.assertEqual((body["label"], body["text"]), ("Summer poster", "Hello"))
        self.assertNotIn("slug", body)
        for moved in ({"slug": "other"}, {"line_id": self.line.copy({"identifier": "line-b"}).id}):
            with self.assertRaisesRegex(UserError, "keeps its line"):
                link.write(moved)

    def test_what_the_service_need_not_know_is_not_told(self):
        link = self.make()
        count = len(self.service.calls)
        link.write({"colour": "#1a7f4b", "active": False})
        self.assertEqual(len(self.service.calls), count)

    def test_nothing_is_saved_while_the_service_is_away_or_says_no(self):
        self.says({"code": "slug_taken", "detail": "Another link already ends in “spring”."}, 409)
        with self.assertRaisesRegex(UserError, "already ends in"), self.env.cr.savepoint():
            self.make(slug="spring")
        self.connection.url = "http://127.0.0.1:1/"
        with self.assertRaisesRegex(UserError, "does not answer"), self.env.cr.savepoint():
            self.make()
        self.assertFalse(self.env["leadline.link"].search([]))

    def test_clicks_are_fetched_by_button_and_by_the_cron(self):
        link = self.make()
        counted = {"clicks": 3, "days": {"2026-11-19": 1, "2026-11-20": 2}}
        self.says(MADE | counted)
        link.action_refresh()
        self.assertEqual(self.told()[:2], ("GET", "/base/chat/v1/links/link-1"))
        self.assertEqual((link.clicks, link.click_ids.sorted("day").mapped("count")), (3, [1, 2]))
        counted = {"clicks": 8, "days": {"2026-11-20": 6, "2026-11-19": 1, "2026-11-21": 1}}
        unknown = MADE | {"id": "link-of-another-program"}
        self.says({"items": [MADE | counted, unknown | counted], "next": None})
        self.env["leadline.link"]._cron_refresh()
        self.assertEqual((link.clicks, link.click_ids.sorted("day").mapped("count")), (8, [1, 6, 1]))

    def test_a_service_that_is_away_costs_the_others_no_clicks(self):
        self.make()
        self.says({"items": [MADE | {"id": "link-2", "clicks": 5, "days": {"2026-11-20": 5}}], "next": None})
        alive = self.connection.copy({"identifier": "conn-alive", "secret": SECRET})
        line = self.line.copy({"identifier": "line-alive", "connection_id": alive.id})
        theirs = self.env["leadline.link"].create({"name": "Flyer", "identifier": "link-2", "line_id": line.id})
        self.connection.url = "http://127.0.0.1:1/"
        self.env["leadline.link"]._cron_refresh()
        self.assertEqual(theirs.clicks, 5)

    def test_a_colour_that_cameras_cannot_read_is_refused(self):
        link = self.make(colour="#1a7f4b")
        for colour in ("#ffff00", "red", "#fff"):
            with self.subTest(colour), self.assertRaises(ValidationError):
                link.colour = colour

    def test_the_form_previews_the_text_while_it_is_written(self):
        form = Form(self.env["leadline.link"].with_user(self.marketer))
        form.name = "Flyer"
        form.text = "Hello, I read {{page}}."
        self.assertEqual(form.prefilled, "Hello, I read {{page}}. (…)")
        self.assertEqual(form.save().prefilled, "Hello, I read {{page}}. (K7M-4PW)")

    def test_lead_campaign_and_contact_open_a_new_links_form_filled_in(self):
        campaign = self.env["utm.campaign"].create({"title": "Spring sale"})
        source = self.env["utm.source"].create({"name": "Poster"})
        values = {"name": "Cargo bicycle " * 10, "campaign_id": campaign.id, "source_id": source.id}
        lead = self.env["crm.lead"].create(values | {"user_id": self.agent.id, "team_id": self.team.id})
        partner = self.env["res.partner"].create({"name": "Ada Example", "user_id": self.agent.id})

        filled = self.opened(lead)
        self.assertEqual(filled.name, lead.name[:100])
        found = (filled.campaign_id, filled.source_id, filled.user_id, filled.team_id)
        self.assertEqual(found, (campaign, source, self.agent, self.team))
        self.assertEqual(self.opened(campaign).campaign_id, campaign)
        self.assertEqual((self.opened(partner).name, self.opened(partner).user_id), ("Ada Example", self.agent))

    def opened(self, record):
        """Save the form that a record's button opens, unchanged, and return the link."""
        action = record.with_user(self.env.ref("base.user_admin")).action_leadline_link()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        self.assertEqual(form.line_id, self.line)
        self.says(MADE | {"id": f"link-of-{record._name}-{len(self.service.calls)}"})
        return form.save()

    def test_a_button_offers_the_line_of_the_records_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        elsewhere = self.connection.copy({"identifier": "conn-elsewhere", "company_id": company.id})
        line = self.line.copy(
            {"identifier": "line-c", "connection_id": elsewhere.id, "company_id": company.id, "team_id": False}
        )
        partner = self.env["res.partner"].create({"name": "Theirs", "company_id": company.id})
        self.assertEqual(partner.action_leadline_link()["context"]["default_line_id"], line.id)

    def test_agents_read_links_and_marketing_makes_them(self):
        link = self.make()
        self.assertEqual(link.with_user(self.agent).name, "Spring poster")
        with self.assertRaises(AccessError):
            link.with_user(self.agent).write({"name": "Mine"})
        with self.assertRaises(AccessError):
            self.make(self.agent)
        with self.assertRaises(AccessError):
            self.conversations.with_user(self.marketer).search([])
        with self.assertRaises(AccessError):
            link.unlink()
        manager = new_test_user(self.env, "leadline_linker", "sales_team.group_sale_manager")
        link.with_user(manager).name = "Autumn poster"
        self.assertEqual(self.told()[2]["label"], "Autumn poster")

    def test_another_company_sees_nothing(self):
        link = self.make()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "leadline_elsewhere", "leadline.group_manager", company_id=company.id, company_ids=company.ids
        )
        self.assertFalse(self.env["leadline.link"].with_user(stranger).search([]))
        self.assertFalse(self.env["leadline.link.report"].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            link.with_user(stranger).read(["name"])
        with self.assertRaises(AccessError):
            self.make(stranger)

    def test_the_sheet_shows_code_business_and_address(self):
        link = self.make(colour="#1a7f4b")
        html, kind = self.env["ir.actions.report"]._render_qweb_html("leadline.report_link_sheet", link.ids)
        self.assertEqual(kind, "html")
        sheet = html.decode()
        for shown in ("/qr.png?colour=%231a7f4b", MADE["short"], "Spring poster", link.company_id.name):
            self.assertIn(shown, sheet)

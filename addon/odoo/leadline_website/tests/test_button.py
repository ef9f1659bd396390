from lxml import html

from odoo.addons.leadline.tests.common import connection_values
from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestButton(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        connection = cls.env["leadline.connection"].create(connection_values(cls.env))
        cls.website = cls.env["website"].search([], limit=1)
        line = cls.env["leadline.line"].create(
            {"name": "Shop", "identifier": "line-web", "connection_id": connection.id}
        )
        cls.link = cls.env["leadline.link"].create(
            {
                "name": "Website",
                "identifier": "link-web",
                "reference": "K7M4PW",
                "line_id": line.id,
                "short_url": "https://chat.example.com/chat/v1/l/shop",
            }
        )

    def button(self, path="/"):
        """Return the attributes of the button's script on a page, None if there is none."""
        page = html.fromstring(self.url_open(path).content)
        found = [script.attrib for script in page.iter("script") if "leadline-button" in script.get("src", "")]
        self.assertLessEqual(len(found), 1)
        return dict(found[0]) if found else None

    def test_no_page_has_a_button_until_a_link_is_chosen(self):
        self.assertIsNone(self.button())

    def test_every_page_has_the_button_of_the_chosen_link(self):
        # Pages of the public are kept by Odoo, which must not hide what was decided.
        self.assertIsNone(self.button())
        self.website.write({"leadline_link_id": self.link.id, "leadline_side": "left"})
        for path in ("/", "/contactus"):
            shown = self.button(path)
            self.assertEqual(shown["data-link"], "https://chat.example.com/chat/v1/l/shop")
            self.assertEqual((shown["data-text"], shown["data-side"]), ("Chat on WhatsApp", "left"))
            self.assertNotIn("data-hours", shown)
        self.link.active = False
        self.assertIsNone(self.button())

    def test_the_button_speaks_the_pages_language(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.website.language_ids |= self.env["res.lang"]._lang_get("es_ES")
        self.website.write({"leadline_link_id": self.link.id, "leadline_text": "Write to us"})
        self.website.with_context(lang="es_ES").leadline_text = "Escríbanos"
        self.assertEqual(self.button("/")["data-text"], "Write to us")
        self.assertEqual(self.button("/es")["data-text"], "Escríbanos")

    def test_what_the_button_says_stays_an_attribute(self):
        hostile = "\"><script>ran()</script><img src=x onerror=ran()>'\u202e\u200b"
        self.link.line_id.name = hostile
        self.website.write({"leadline_link_id": self.link.id, "leadline_text": hostile})
        shown = self.button()
        self.assertEqual(shown["data-text"], hostile)
        self.assertEqual({name for name in shown if not name.startswith("data-")}, {"defer", "src"})
        page = html.fromstring(self.url_open("/").content)
        self.assertEqual([element.tag for element in page.iter() if "ran()" in (element.text or "")], [])
        self.assertEqual(page.xpath("//*[contains(@onerror, 'ran')]"), [])

    def test_the_button_knows_the_hours(self):
        spans = [("0", "morning", 9, 12.5), ("0", "lunch", 12.5, 13), ("5", "afternoon", 13, 24)]
        calendar = self.env["resource.calendar"].create(
            {
                "name": "Shop hours",
                "tz": "Europe/Oslo",
                "attendance_ids": [
                    (0, 0, {"name": day, "dayofweek": day, "day_period": part, "hour_from": start, "hour_to": end})
                    for day, part, start, end in spans
                ],
            }
        )
        self.website.write({"leadline_link_id": self.link.id, "leadline_calendar_id": calendar.id})
        shown = self.button()
        self.assertEqual(shown["data-hours"], "Mo 09:00-12:30, Sa 13:00-24:00")
        self.assertEqual(shown["data-timezone"], "Europe/Oslo")
        self.assertEqual((shown["data-open"], shown["data-closed"]), ("We are here", "We answer later"))

    def test_the_settings_of_a_website_choose_the_link(self):
        settings = self.env["res.config.settings"].create({"website_id": self.website.id})
        settings.leadline_link_id = self.link
        settings.execute()
        self.assertEqual(self.website.leadline_link_id, self.link)

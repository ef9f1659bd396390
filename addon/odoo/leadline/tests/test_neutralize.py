from odoo.tools import file_open

from .common import LeadlineCase


class TestNeutralize(LeadlineCase):
    def test_a_copied_database_forgets_secret_and_address(self):
        with file_open("leadline/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.connection.invalidate_recordset()
        self.assertFalse(self.connection.secret)
        self.assertTrue(self.connection.url.endswith(".invalid"))
        self.assertEqual(self.connection.state, "new")
        self.assertFalse(self.connection.way)

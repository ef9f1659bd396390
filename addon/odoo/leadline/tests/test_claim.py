from datetime import datetime, timedelta

from freezegun import freeze_time

from .common import LeadlineCase

BEGIN = datetime(2026, 11, 20, 10, 0)


class TestClaim(LeadlineCase):
    """Claims are for transactions that meet: they are not kept for ever."""

    def take(self, name, after=timedelta()):
        with freeze_time(BEGIN + after):
            self.env["leadline.claim"]._take(name)

    def kept(self, after):
        with freeze_time(BEGIN + after):
            self.env["leadline.claim"]._gc_old()
        return sorted(self.env["leadline.claim"].search([("name", "like", "test/")]).mapped("name"))

    def test_old_claims_go_and_those_that_were_taken_again_stay(self):
        self.take("test/once")
        self.take("test/again")
        self.take("test/again", timedelta(hours=20))
        self.assertEqual(self.kept(timedelta(hours=23)), ["test/again", "test/once"])
        self.assertEqual(self.kept(timedelta(hours=25)), ["test/again"])

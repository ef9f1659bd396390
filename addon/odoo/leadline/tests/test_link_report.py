from .common import LeadlineCase, contact, conversation


class TestLinkReport(LeadlineCase):
    def test_the_report_counts_each_step_and_its_share(self):
        campaign = self.env["utm.campaign"].create({"name": "Spring"})
        link, quiet = self.env["leadline.link"].create(
            [
                {"name": name, "identifier": name, "line_id": self.line.id, "campaign_id": campaign.id}
                for name in ("poster", "quiet")
            ]
        )
        link._take_clicks({"clicks": 8, "days": {"2026-11-19": 5, "2026-11-20": 3}})
        touch = {"at": "2026-11-20T10:00:00Z", "referral": None, "link": {"link": "poster", "reference": "K7M4PW"}}
        leads = self.env["crm.lead"]
        for number in range(4):
            told = conversation(f"conv-{number}", contact=contact(f"c-{number}", phone=f"+1202555019{number}"))
            leads |= self.met(told | {"attribution": {"first": touch, "last": touch}}).lead_ids
        leads.type = "opportunity"
        leads[0].expected_revenue = 1200
        leads[1].expected_revenue = 500
        leads[0].action_set_won()
        leads[3].action_set_lost()

        report = self.env["leadline.link.report"]
        measures = ["clicks:sum", "messages:sum", "leads:sum", "won:sum", "revenue:sum"]
        shares = ["message_share:avg", "lead_share:avg", "won_share:avg"]
        [(found, *numbers)] = report._read_group([], ["link_id"], measures + shares)

        self.assertEqual(found, link)
        self.assertEqual(numbers, [8, 4, 4, 1, 1200, 0.5, 1.0, 0.25])
        [(_campaign, clicks)] = report._read_group([], ["campaign_id"], ["clicks:sum"])
        self.assertEqual(clicks, 8)
        self.assertEqual((link.message_count, link.lead_count, link.won_count, link.revenue), (4, 4, 1, 1200))
        self.assertEqual((quiet.message_count, quiet.revenue), (0, 0))

from odoo.tests import new_test_user

from .common import LeadlineCase, contact, conversation, event


def through(link="link-1", at="2026-11-20T10:00:00+00:00", **said):
    """Return one way in, by a link."""
    fields = dict.fromkeys(("label", "source", "medium", "campaign", "owner", "team", "tag"))
    return {"at": at, "referral": None, "link": fields | {"link": link, "reference": "K7M4PW"} | said}


def by_ad(at="2026-11-20T10:00:00+00:00", **said):
    """Return one way in, by an advertisement."""
    referral = {"source_type": "ad", "source_id": "1234", "source_url": "https://fb.me/x", "headline": "Blue bikes"}
    return {"at": at, "link": None, "referral": referral | {"ctwa_clid": "ARAkLkA8"} | said}


class TestAttribution(LeadlineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_team = cls.env["crm.team"].create({"name": "Poster team", "use_leads": True})
        cls.tag = cls.env["crm.tag"].create({"name": "Walk-in"})
        cls.link = cls.mirror(
            "link-1",
            source_id=cls.env["utm.source"].create({"name": "Poster"}).id,
            medium_id=cls.env["utm.medium"].create({"name": "Print"}).id,
            campaign_id=cls.env["utm.campaign"].create({"name": "Spring"}).id,
            user_id=cls.agent.id,
            team_id=cls.other_team.id,
            tag_id=cls.tag.id,
        )

    @classmethod
    def mirror(cls, identifier, **values):
        """Return a link that is at the service already."""
        return cls.env["leadline.link"].create(
            {"name": identifier, "identifier": identifier, "line_id": cls.line.id} | values
        )

    def came(self, first, last=None, **told):
        return self.met(conversation(attribution={"first": first, "last": last or first}, **told))

    def origin(self, record):
        return tuple(record[name].name for name in ("source_id", "medium_id", "campaign_id"))

    def test_a_lead_gets_origin_owner_team_and_tag_of_the_link_that_brought_it(self):
        row = self.came(through())
        lead = row.lead_ids
        for record in (row, lead):
            self.assertEqual(self.origin(record), ("Poster", "Print", "Spring"))
        self.assertEqual((lead.user_id, lead.team_id), (self.agent, self.other_team))
        self.assertEqual((lead.tag_ids, lead.leadline_link_id), (self.tag, self.link))
        self.assertEqual((row.first_link_id, row.last_link_id, row.user_id), (self.link, self.link, self.agent))

    def test_without_a_link_the_lead_has_what_the_line_gives(self):
        row = self.met(conversation(attribution=None))
        self.assertEqual(self.origin(row.lead_ids), ("WhatsApp", "WhatsApp", False))
        self.assertEqual((row.lead_ids.team_id, row.first_link_id.id), (self.team, False))

    def test_the_first_way_in_stays_and_the_last_one_follows(self):
        summer = self.mirror("link-2", source_id=self.env["utm.source"].create({"name": "Summer mail"}).id)
        self.came(through())
        row = self.came(through(), through("link-2", at="2026-11-21T10:00:00+00:00"), version=2, received=2)
        self.assertEqual((row.first_link_id, row.last_link_id), (self.link, summer))
        self.assertEqual(str(row.last_touch_at), "2026-11-21 10:00:00")
        self.assertEqual(self.origin(row), ("Poster", "Print", "Spring"))
        self.assertEqual(self.origin(row.lead_ids), ("Poster", "Print", "Spring"))
        self.assertEqual(row.lead_ids.leadline_link_id, self.link)
        lead = row.lead_ids.with_user(self.agent)
        self.assertEqual(lead.leadline_first_touch, "Poster / Print / Spring")
        self.assertEqual(lead.leadline_last_touch, "Summer mail")

    def test_what_a_person_chose_is_never_overwritten(self):
        fair = self.env["utm.source"].create({"name": "Trade fair"})
        seller = new_test_user(self.env, "leadline_seller", "sales_team.group_sale_salesman")
        lead = self.env["crm.lead"].create(
            {"name": "By hand", "phone": "+12025550143", "source_id": fair.id, "user_id": seller.id}
        )
        row = self.came(through())
        self.assertEqual(row.lead_ids, lead)
        self.assertEqual((lead.source_id, lead.user_id), (fair, seller))
        self.assertEqual((lead.campaign_id.name, lead.leadline_link_id), ("Spring", self.link))

    def test_what_a_person_empties_later_stays_empty(self):
        lead = self.came(through()).lead_ids
        lead.write({"campaign_id": False, "user_id": False})
        self.came(through(), version=2, received=2)
        self.assertFalse(lead.campaign_id or lead.user_id)

    def test_a_link_that_comes_after_the_first_words_fills_what_the_line_gave(self):
        lead = self.met().lead_ids
        self.came(through(), version=2, received=2)
        self.assertEqual(self.origin(lead), ("Poster", "Print", "Spring"))
        self.assertEqual((lead.user_id, lead.team_id), (self.agent, self.other_team))

    def test_a_deal_that_is_won_keeps_where_it_came_from(self):
        lead = self.met().lead_ids
        lead.type = "opportunity"
        lead.action_set_won()
        self.came(through(), version=2, received=2)
        self.assertEqual(self.origin(lead), ("WhatsApp", "WhatsApp", False))

    def test_a_merged_lead_keeps_through_what_it_came(self):
        lead = self.came(through()).lead_ids
        deal = self.env["crm.lead"].create({"name": "Deal", "type": "opportunity"})
        lead.type = "lead"
        self.assertEqual((lead | deal).merge_opportunity(), deal)
        self.assertEqual(deal.leadline_link_id, self.link)

    def test_an_advertisement_gives_source_and_medium_and_its_click_is_kept(self):
        row = self.came(by_ad())
        self.assertEqual(self.origin(row.lead_ids), ("Facebook", "Click to WhatsApp", False))
        self.assertEqual((row.ad, row.ad_identifier, row.ctwa_clid), ("Blue bikes", "1234", "ARAkLkA8"))
        self.assertEqual(row.lead_ids.source_id, self.env.ref("utm.utm_source_facebook"))
        told = conversation("conv-2", contact=contact("c2", phone="+12025550144"))
        post = by_ad(source_url="https://www.instagram.com/p/1", source_type="post", ctwa_clid=None)
        lead = self.met(told | {"attribution": {"first": post, "last": post}}).lead_ids
        self.assertEqual(self.origin(lead), ("Instagram", "Post", False))

    def test_a_link_made_elsewhere_is_made_here_by_its_names(self):
        owner = {"id": str(self.agent.id), "name": "Somebody"}
        said = {"label": "Flyer", "source": "Poster", "campaign": "Flyers", "tag": "Walk-in", "team": "Poster team"}
        lead = self.came(through("link-far", owner=owner, **said)).lead_ids
        link = lead.leadline_link_id
        self.assertEqual((link.name, link.identifier), ("Flyer", "link-far"))
        self.assertEqual((link.source_id, link.tag_id), (self.link.source_id, self.tag))
        self.assertEqual((lead.campaign_id.name, lead.user_id, lead.team_id), ("Flyers", self.agent, self.other_team))

    def test_an_owner_who_is_gone_or_elsewhere_costs_no_message(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "leadline_far", "leadline.group_agent", company_id=elsewhere.id, company_ids=elsewhere.ids
        )
        for number, owner in enumerate(("999999999", "x", str(stranger.id))):
            told = conversation(f"conv-{owner}", contact=contact(f"c-{number}", phone=f"+1202555017{number}"))
            touch = through(f"link-{owner}", owner={"id": owner, "name": "?"})
            row = self.met(told | {"attribution": {"first": touch, "last": touch}})
            self.assertNotEqual(row.lead_ids.user_id, stranger)
        self.agent.active = False
        self.assertTrue(self.came(through()).lead_ids)

    def test_a_strange_attribution_costs_no_message(self):
        shapes = (
            "?",
            [],
            {"first": None},
            {"first": 1, "last": {"link": "x"}},
            {"first": through(at="yesterday"), "last": through()},
            {"first": through(link=7), "last": through(link="a b")},
            {"first": through(label=["x"], owner="me", tag={}), "last": through()},
        )
        for number, shape in enumerate(shapes):
            with self.subTest(shape):
                told = conversation(f"conv-{number}", contact=contact(f"c-{number}", phone=f"+1202555018{number}"))
                [result] = self.apply(event(told | {"attribution": shape}))
                self.assertTrue(result["ok"], result)

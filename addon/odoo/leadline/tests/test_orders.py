import itertools
import logging

from .common import LeadlineCase, contact, conversation

_logger = logging.getLogger(__name__)

STEPS = ("convert", "merge", "archive", "delete")
ORDERS = [
    order
    for order in itertools.permutations(STEPS)
    if sum(order.index(one) > order.index(other) for one, other in itertools.combinations(STEPS, 2)) % 2 == 0
]
"""Twelve of the 24, the even ones: every step stands at every place, and after every other."""


class TestOrders(LeadlineCase):
    """Whatever becomes of the customer's leads, and in whatever order, the chat is where it should be."""

    def setUp(self):
        super().setUp()
        self.serial = 0

    def shown(self, card):
        # An agent opens archived cards too, from a list or a link.
        told = self.conversations.with_user(self.agent).chat_open(card._name, card.id)
        return {found["id"] for found in told["conversations"]}

    def customer(self):
        """Return the row of somebody new who has just written; their lead is the agent's."""
        self.serial += 1
        person = contact(f"c{self.serial}", name=f"Customer {self.serial}", phone=f"+1202555{1000 + self.serial}")
        row = self.met(conversation(f"conv-{self.serial}", contact=person))
        row.lead_ids.write({"type": "lead", "user_id": self.agent.id})
        return row

    def current(self, row):
        """Return the lead that the chat is about; an agent asks for one where none is left."""
        lead = row.with_context(active_test=False)._lead()
        if lead:
            return lead
        answer = self.conversations.with_user(self.agent).chat_lead("res.partner", row.partner_id.id, row.identifier)
        return self.env["crm.lead"].browse(answer["id"])

    def convert(self, row):
        lead = self.current(row)
        wizard = self.env["crm.lead2opportunity.partner"].with_context(
            active_model="crm.lead", active_id=lead.id, active_ids=lead.ids
        )
        wizard.create({"name": "convert", "action": "exist"}).action_apply()
        return lead, {row.identifier}

    def merge(self, row):
        other = self.customer()
        merged = (self.current(row) | other.lead_ids).with_context(active_test=False).merge_opportunity()
        self.assertEqual(self.shown(other.partner_id), {other.identifier}, "the other customer keeps theirs")
        self.joined.add(other.identifier)
        return merged, {row.identifier}

    def archive(self, row):
        lead = self.current(row)
        lead.action_set_lost()
        return lead, {row.identifier}

    def delete(self, row):
        self.current(row).unlink()
        self.joined.clear()
        return self.env["crm.lead"], {row.identifier}

    def test_twelve_orders_of_convert_merge_archive_and_delete(self):
        self.assertEqual(len(ORDERS), 12)
        for place in range(len(STEPS)):
            self.assertEqual({order[place] for order in ORDERS}, set(STEPS))
        table = [("order", *(f"after step {place}" for place in range(1, 5)))]
        for order in ORDERS:
            self.joined = set()
            row, places = self.customer(), []
            partner, stranger = row.partner_id, self.customer()
            for step in order:
                with self.subTest(order=order, step=step):
                    lead, expected = getattr(self, step)(row)
                    self.env.invalidate_all()
                    if lead:
                        self.assertEqual(self.shown(lead), expected | self.joined)
                    self.assertIn(row.identifier, self.shown(partner))
                    self.assertEqual((row.partner_id, row.exists()), (partner, row))
                    self.assertNotIn(row.identifier, self.shown(stranger.lead_ids), "nobody else has it")
                    places.append(self.place(lead))
            table.append((" → ".join(order), *places))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)
        _logger.info("Where the chat is:\n%s", "\n".join(line.rstrip() for line in lines))

    def place(self, lead):
        if not lead:
            return "contact"
        kind = lead.type if lead.active else f"archived {lead.type}"
        return f"contact, {kind}" + (f" with {len(self.joined)} more" if self.joined else "")

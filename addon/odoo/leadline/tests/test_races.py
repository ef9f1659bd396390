import random
import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import requests

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import HttpCase, new_test_user, tagged

from .common import LINE, batch, connection_values, contact, conversation, event, line, signed

CUSTOMERS = 20
DELIVERIES = 4


@tagged("post_install", "-at_install")
class TestRaces(HttpCase):
    """Deliveries that meet each other, in transactions that really commit, as none inside a test's own would."""

    registry_test_mode = False

    def setUp(self):
        super().setUp()
        # The thread that runs the tests holds this lock, and every request begins by asking for it.
        self.startPatcher(patch.object(Registry, "_lock", DummyRLock()))
        # Test runs expect a replica for reading, which there is none of.
        self.startPatcher(patch.object(self.registry, "_db_readonly", None))
        with self.committed() as env:
            self.connection_id = env["leadline.connection"].create(connection_values(env)).id
        self.addCleanup(self.remove)

    def committed(self):
        """Return a context whose environment commits for good at its end."""
        return _Committed(self.registry)

    def remove(self):
        with self.committed() as env:
            rows = env["leadline.conversation"].search([("connection_id", "=", self.connection_id)])
            rows.lead_ids.unlink()
            rows.partner_id.unlink()
            env["leadline.connection"].browse(self.connection_id).unlink()
            env["leadline.claim"].search([]).unlink()
            env["leadline.session.message"].search([]).unlink()

    def deliver(self, bodies):
        """Post all bodies at the same moment and return the answers."""
        together = threading.Barrier(len(bodies))

        def post(body):
            together.wait(timeout=30)
            return requests.post(self.base_url() + "/leadline/events", data=body, headers=signed(body), timeout=120)

        # Losing a race is no error, and an error of the database would be logged with the customer's data.
        with self.assertNoLogs("odoo.sql_db", "ERROR"), ThreadPoolExecutor(len(bodies)) as pool:
            return list(pool.map(post, bodies))

    def counts(self):
        """Return how many conversations, contacts and leads there are now."""
        with self.committed() as env:
            rows = env["leadline.conversation"].search([("connection_id", "=", self.connection_id)])
            return (
                len(rows),
                env["res.partner"].search_count([("name", "=like", "Racer %")]),
                env["crm.lead"].search_count([("name", "=like", "WhatsApp: Racer %")]),
            )

    def customer(self, number, **changed):
        person = contact(f"contact-{number}", name=f"Racer {number}", phone=f"+1202555{1000 + number}")
        return conversation(f"conv-{number}", **({"contact": person} | changed))

    def test_twenty_new_customers_delivered_four_times_at_once_are_twenty(self):
        bodies = [batch(event(self.customer(number))) for number in range(CUSTOMERS)] * DELIVERIES
        random.Random(7).shuffle(bodies)
        answers = []
        # Eight at a time: as many requests as a small server works on at once.
        for start in range(0, len(bodies), 8):
            answers += self.deliver(bodies[start : start + 8])
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertTrue(all(result["ok"] for answer in answers for result in answer.json()["results"]))
        self.assertEqual(self.counts(), (CUSTOMERS, CUSTOMERS, CUSTOMERS))

    def test_the_same_first_message_four_times_at_the_same_moment_is_one_lead(self):
        answers = self.deliver([batch(event(self.customer(1)))] * DELIVERIES)
        self.assertEqual(self.counts(), (1, 1, 1))
        self.assertEqual(len({str(answer.json()["results"][0]["records"]) for answer in answers}), 1)

    def test_one_customer_writing_to_four_new_lines_at_once_is_one_person(self):
        bodies = [
            batch(event(self.customer(1) | {"id": f"conv-1-{index}", "line": line(f"line-{index}")}))
            for index in range(4)
        ]
        answers = self.deliver(bodies)
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual(self.counts(), (4, 1, 1))

    def test_versions_that_come_at_once_leave_the_newest(self):
        self.deliver([batch(event(self.customer(1)))])
        answers = self.deliver([batch(event(self.customer(1, version=n, received=n))) for n in range(2, 7)])
        self.assertEqual({answer.status_code for answer in answers}, {200})
        with self.committed() as env:
            row = env["leadline.conversation"].search([("identifier", "=", "conv-1")])
            self.assertEqual((row.version, row.received_count), (6, 6))
        self.assertEqual(self.counts(), (1, 1, 1))

    def sessions(self):
        """Return how many sessions there are, and how many of them an agent has."""
        with self.committed() as env:
            found = env["leadline.session"].search([("conversation_id.connection_id", "=", self.connection_id)])
            return len(found), len(found.filtered(lambda session: session.state == "assigned"))

    def staffed(self, **member):
        """Give the line one agent, who is online."""
        with self.committed() as env:
            agent = new_test_user(env, "racing_agent", "sales_team.group_sale_salesman")
            env["mail.presence"]._update_presence(agent)
            env["leadline.line"].create(
                {
                    "name": "Raced",
                    "identifier": LINE,
                    "connection_id": self.connection_id,
                    "member_ids": [(0, 0, {"user_id": agent.id} | member)],
                }
            )
        self.addCleanup(self.dismiss, agent.id)

    def dismiss(self, agent):
        with self.committed() as env:
            user = env["res.users"].browse(agent)
            partner = user.partner_id
            user.unlink()
            partner.unlink()

    def test_the_first_message_told_four_times_at_once_opens_one_session_with_one_agent(self):
        self.staffed()
        self.deliver([batch(event(self.customer(1)))] * DELIVERIES)
        self.assertEqual(self.sessions(), (1, 1))

    def test_different_messages_of_one_customer_at_once_open_one_session(self):
        self.staffed()
        self.deliver([batch(event(self.customer(1, version=n, received=n))) for n in range(1, 5)])
        self.assertEqual(self.sessions(), (1, 1))
        with self.committed() as env:
            session = env["leadline.session"].search([("conversation_id.connection_id", "=", self.connection_id)])
            self.assertEqual(session.in_count, 4)

    def test_an_agent_with_room_for_one_chat_gets_one_of_four_that_come_at_once(self):
        self.staffed(capacity=1)
        answers = self.deliver([batch(event(self.customer(n))) for n in range(1, 5)])
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual(self.sessions(), (4, 1))

    def test_batches_in_opposite_order_do_not_stop_each_other(self):
        events = [event(self.customer(number)) for number in range(10)]
        answers = self.deliver([batch(*events), batch(*reversed(events))] * 2)
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual(self.counts(), (10, 10, 10))


class _Committed:
    def __init__(self, registry):
        self.registry = registry

    def __enter__(self):
        self.cr = self.registry.cursor()
        return api.Environment(self.cr, SUPERUSER_ID, {"tracking_disable": True})

    def __exit__(self, kind, error, trace):
        return self.cr.__exit__(kind, error, trace)

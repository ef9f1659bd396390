from datetime import datetime, timedelta

from .common_sessions import START, SessionCase


class TestServiceLevel(SessionCase):
    """The first answer has a time, and people are reminded before it is over."""

    def setUp(self):
        super().setUp()
        self.online(self.ann)
        self.queue(self.ann, answer_within=30, warn_before=10, pass_on_after=0)

    @property
    def session(self):
        return self.row().session_id

    def reminders(self, user):
        return self.env["mail.message"].search_count(
            [("subject", "like", "WhatsApp answer due"), ("notified_partner_ids", "in", user.partner_id.ids)]
        )

    def reminded(self):
        return self.reminders(self.ann), self.reminders(self.manager)

    def test_the_agent_is_reminded_first_and_then_the_manager_each_once(self):
        self.write_in()
        self.forward(minutes=19)
        self.assertEqual(self.reminded(), (0, 0))
        self.forward(minutes=1)
        self.assertEqual(self.reminded(), (1, 0))
        self.forward(minutes=4)
        self.assertEqual(self.reminded(), (1, 0))
        self.forward(minutes=1)
        self.assertEqual(self.reminded(), (1, 1))
        self.forward(minutes=3)
        self.assertEqual(self.reminded(), (1, 1))
        self.assertFalse(self.session.missed)

    def test_who_has_answered_is_not_reminded(self):
        self.write_in()
        self.forward(minutes=5)
        self.answer(self.ann)
        self.forward(hours=2)
        self.assertEqual(self.reminded(), (0, 0))
        self.assertEqual((self.session.missed, self.session.target), (0, "kept"))

    def test_without_an_agent_the_managers_are_reminded_at_once(self):
        self.offline(self.ann)
        self.write_in()
        self.forward(minutes=20)
        self.assertEqual(self.reminded(), (0, 1))

    def test_a_missed_answer_is_counted_though_it_never_comes(self):
        self.write_in()
        self.forward(minutes=31)
        self.assertEqual((self.session.missed, self.session.target), (1, "missed"))
        self.assertIn("The first answer was not given in time.", self.log(self.session))
        self.forward(minutes=31)
        self.assertEqual(self.log(self.session).count("The first answer was not given in time."), 1)

    def test_a_late_answer_is_a_missed_one_though_no_cron_ran(self):
        self.write_in()
        self.frozen.tick(timedelta(minutes=31))
        self.answer(self.ann)
        self.assertEqual(self.session.missed, 1)

    def test_closing_without_an_answer_in_time_is_no_miss(self):
        self.write_in()
        self.as_agent(self.ann, "chat_close")
        self.forward(hours=1)
        self.assertEqual((self.session.missed, self.session.target), (0, "kept"))

    def test_time_outside_the_working_hours_does_not_count(self):
        self.line.calendar_id = self.hours(self.ben, 9, 17).calendar_id
        self.frozen.move_to(datetime(2026, 11, 27, 16, 45))
        self.write_in()
        self.assertEqual(self.session.answer_due, datetime(2026, 11, 30, 9, 15), "over the weekend")
        self.frozen.move_to(datetime(2026, 11, 28, 12, 0))
        self.sessions._cron_tend()
        self.assertEqual((self.session.missed, self.reminded()), (0, (0, 0)))

    def test_hours_are_those_of_the_lines_time_zone(self):
        self.line.calendar_id = self.hours(self.ben, 9, 17, tz="Asia/Tokyo").calendar_id
        self.write_in()
        # 10:00 in London is 19:00 in Tokyo.
        self.assertEqual(self.session.answer_due, datetime(2026, 11, 25, 0, 30))
        self.assertEqual(self.session.opened_hour, 19)

    def test_without_a_target_nothing_is_due(self):
        self.line.answer_within = 0
        self.write_in()
        self.forward(days=2)
        self.assertEqual((self.session.answer_due, self.session.missed, self.session.target), (False, 0, False))

    def test_managers_are_told_once_of_all_who_wait_together(self):
        self.offline(self.ann)
        for number in range(3):
            self.write_in(f"conv-{number}")
        self.forward(minutes=1)
        self.forward(minutes=1)
        told = self.env["mail.message"].search(
            [
                ("subject", "like", "WhatsApp customers wait"),
                ("notified_partner_ids", "in", self.manager.partner_id.ids),
            ]
        )
        self.assertEqual(len(told), 1)
        self.assertIn("Chats that wait for an agent: 3", told.body)
        self.assertEqual(self.now, START + timedelta(minutes=2))

from datetime import timedelta

from odoo.tests import tagged

from .common_sessions import SessionCase


@tagged("post_install", "-at_install", "-standard", "time_off")
class TestTimeOff(SessionCase):
    """Odoo's Time Off: approved leave keeps chats away, and nothing else does. The tag is for where it is installed."""

    def setUp(self):
        super().setUp()
        self.online(self.ann, self.ben)
        self.queue(self.ann, self.ben, distribution="order")
        employee = self.env["hr.employee"].create({"name": "Ann", "user_id": self.ann.id, "tz": "UTC"})
        calendar = employee.resource_calendar_id
        calendar.tz = "UTC"
        self.type = self.env["hr.leave.type"].create(
            {"name": "Holiday", "requires_allocation": False, "leave_validation_type": "hr", "request_unit": "day"}
        )
        self.leave_request = self.env["hr.leave"].create(
            {
                "name": "Beach",
                "employee_id": employee.id,
                "holiday_status_id": self.type.id,
                "request_date_from": self.now.date(),
                "request_date_to": self.now.date() + timedelta(days=1),
            }
        )

    def holder(self, identifier):
        return self.write_in(identifier).session_id.user_id

    def test_only_leave_that_is_approved_keeps_chats_away(self):
        self.assertEqual(self.holder("conv-asked"), self.ann, "asked for, not approved")
        self.leave_request.action_approve()
        self.assertEqual(self.holder("conv-approved"), self.ben)
        self.assertIn("Ann (on leave)", self.log(self.row("conv-approved").session_id)[0])
        self.leave_request.action_refuse()
        self.assertEqual(self.holder("conv-refused"), self.ann)

    def test_after_the_leave_they_get_chats_again(self):
        self.leave_request.action_approve()
        self.frozen.tick(timedelta(days=2))
        self.assertEqual(self.holder("conv-back"), self.ann)

from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import routing

REMEMBERED = timedelta(days=30)
"""So far back it is looked up when somebody last got a chat."""


class LeadlineLine(models.Model):
    """What is known of a line's agents at this moment, as `tools.routing` asks for it."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.line"  # pylint: disable=consider-merging-classes-inherited

    def _agents(self, capacities, *, but):
        """Return the facts about those users who may get a chat at all, by id.

        :param capacities: how many chats each may have at once, by user
        :param but: sessions that are not counted: those that are about to be given to somebody
        """
        now = fields.Datetime.now()
        company = self.company_id
        users = self.env["res.users"].union(*capacities).filtered(lambda user: user._is_leadline_agent(company))
        working, away = self._working(users, now), self._on_leave(users, now)
        theirs = Domain("user_id", "in", users.ids) & Domain("id", "not in", but.ids)
        chats = self._by_user(theirs & Domain("state", "=", "assigned"), "__count")
        last = self._by_user(theirs & Domain("assigned_at", ">=", now - REMEMBERED), "assigned_at:max")
        return {
            user.id: routing.Agent(
                id=user.id,
                # Odoo's websocket keeps it, and takes it away when the browser is closed. There is no beat to look at.
                online=user.im_status == "online",
                working=user in working,
                leave=user in away,
                capacity=capacities[user],
                chats=chats.get(user.id, 0),
                last=last.get(user.id),
            )
            for user in users
        }

    @api.model
    def _by_user(self, domain, aggregate):
        """Return a figure of the agents' sessions, by their ids."""
        found = self.env["leadline.session"]._read_group(domain, ["user_id"], [aggregate])
        return {user.id: figure for user, figure in found}

    def _working(self, users, now):
        """Return the users who are inside their working hours: their own, else the line's."""
        resources = self._resources(users)
        start = now.replace(tzinfo=timezone.utc)
        own, _calendars = resources._get_valid_work_intervals(start, start + timedelta(seconds=1), compute_leaves=False)
        line_works = self._is_working(now)
        return users.filtered(
            lambda user: (
                any(own[resource.id] for resource in resources if resource.user_id == user)
                if user in resources.user_id
                else line_works
            )
        )

    def _on_leave(self, users, now):
        """Return the users who are off: on a leave of their own, or on one of everybody with their hours.

        Time off that is approved writes these rows, and refusing it takes them away again.
        """
        resources = self._resources(users)
        leaves = self.env["resource.calendar.leaves"].search(
            Domain("time_type", "=", "leave")
            & Domain("date_from", "<=", now)
            & Domain("date_to", ">=", now)
            & (
                Domain("resource_id", "in", resources.ids)
                | (Domain("resource_id", "=", False) & Domain("company_id", "in", (False, self.company_id.id)))
            )
        )
        off = leaves.resource_id
        for leave in leaves.filtered(lambda leave: not leave.resource_id):
            off |= resources.filtered(
                lambda resource, leave=leave: not leave.calendar_id or leave.calendar_id == resource.calendar_id
            )
        return off.user_id & users

    def _resources(self, users):
        """Return the rows that say when somebody works; who is no employee has none."""
        return self.env["resource.resource"].search(
            Domain("user_id", "in", users.ids) & Domain("company_id", "in", (False, self.company_id.id))
        )

from odoo import fields, models
from odoo.tools import SQL

SHARES = {
    "message_share:avg": ("messages", "clicks"),
    "lead_share:avg": ("leads", "messages"),
    "won_share:avg": ("won", "leads"),
}
"""Which part of which each share is."""


class LeadlineLinkReport(models.Model):
    """What links bring, step by step: one row per link and day of clicks, per first message, and per lead."""

    _name = "leadline.link.report"
    _description = "WhatsApp Link Report"
    _auto = False
    _order = "date desc"
    _rec_name = "link_id"

    date = fields.Date(readonly=True)
    link_id = fields.Many2one("leadline.link", readonly=True)
    line_id = fields.Many2one("leadline.line", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    source_id = fields.Many2one("utm.source", readonly=True)
    medium_id = fields.Many2one("utm.medium", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)
    clicks = fields.Integer(readonly=True)
    messages = fields.Integer("First Messages", readonly=True)
    leads = fields.Integer(readonly=True)
    won = fields.Integer(readonly=True)
    revenue = fields.Monetary("Won Revenue", readonly=True, currency_field="currency_id")
    message_share = fields.Float("Wrote, of Clicks", readonly=True, aggregator="avg")
    lead_share = fields.Float("Leads, of First Messages", readonly=True, aggregator="avg")
    won_share = fields.Float("Won, of Leads", readonly=True, aggregator="avg")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT step.id, step.date, step.clicks, step.messages, step.leads, step.won, step.revenue,
                   link.id AS link_id, link.line_id, link.company_id,
                   link.source_id, link.medium_id, link.campaign_id,
                   NULL::float AS message_share, NULL::float AS lead_share, NULL::float AS won_share
              FROM (
                    SELECT id * 3::bigint AS id, link_id, day AS date,
                           count AS clicks, 0 AS messages, 0 AS leads, 0 AS won, 0::numeric AS revenue
                      FROM leadline_link_click
                 UNION ALL
                    SELECT id * 3::bigint + 1, first_link_id, first_touch_at::date, 0, 1, 0, 0, 0
                      FROM leadline_conversation
                     WHERE first_link_id IS NOT NULL AND merged_into IS NULL
                 UNION ALL
                    SELECT id * 3::bigint + 2, leadline_link_id, create_date::date, 0, 0, 1,
                           (won_status = 'won')::int,
                           CASE WHEN won_status = 'won' THEN COALESCE(expected_revenue, 0) ELSE 0 END
                      FROM crm_lead
                     WHERE leadline_link_id IS NOT NULL
                   ) AS step
              JOIN leadline_link AS link ON link.id = step.link_id
            """
        )

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec not in SHARES:
            return super()._read_group_select(aggregate_spec, query)
        # Shares of a group are those of its sums: those of its rows can't be averaged.
        part, whole = (self._field_to_sql(self._table, name, query) for name in SHARES[aggregate_spec])
        return SQL("SUM(%s)::float / NULLIF(SUM(%s), 0)", part, whole)

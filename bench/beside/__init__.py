"""The same work beside others: OCA's mail_gateway in the same Odoo, pywa, and floors that do next to nothing."""

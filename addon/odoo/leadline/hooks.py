from odoo.fields import Domain
from odoo.tools import SQL


def uninstall_hook(env):
    """Tell the services that this Odoo is gone, as far as they can be reached, and take away what Odoo forgets."""
    for connection in env["leadline.connection"].with_context(active_test=False).search([("secret", "!=", False)]):
        connection._tell_unpaired()
    # Names that other modules gave to what our models inherit from them, and indexes on other modules' columns.
    given = Domain("name", "=like", "model_inherit__leadline_%") | Domain("name", "=like", "selection__leadline_%")
    env["ir.model.data"].search(given & Domain("module", "!=", "leadline")).unlink()
    for index in (
        "res_partner__phone_sanitized_index",
        "res_partner_leadline_head",
        "res_partner_leadline_tail",
        "crm_lead_leadline_head",
        "crm_lead_leadline_tail",
    ):
        env.cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(index)))

from odoo.fields import Domain


def uninstall_hook(env):
    """Tell the services that this Odoo is gone, as far as they can be reached, and take away what Odoo forgets."""
    for connection in env["leadline.connection"].with_context(active_test=False).search([("secret", "!=", False)]):
        connection._tell_unpaired()
    # Names that other modules gave to what our models inherit from them, and an index on another module's column.
    given = Domain("name", "=like", "model_inherit__leadline_%") | Domain("name", "=like", "selection__leadline_%")
    env["ir.model.data"].search(given & Domain("module", "!=", "leadline")).unlink()
    env.cr.execute("DROP INDEX IF EXISTS res_partner__phone_sanitized_index")

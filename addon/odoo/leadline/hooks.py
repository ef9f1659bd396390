def uninstall_hook(env):
    """Tell the services that this Odoo is gone, as far as they can be reached, and take away what Odoo forgets."""
    for connection in env["leadline.connection"].with_context(active_test=False).search([("secret", "!=", False)]):
        connection._tell_unpaired()
    # Names that other modules gave to what our models inherit from them, and an index on another module's column.
    env["ir.model.data"].search(
        [("model", "=", "ir.model.inherit"), ("name", "=like", "model_inherit__leadline_%")]
    ).unlink()
    env.cr.execute("DROP INDEX IF EXISTS res_partner__phone_sanitized_index")

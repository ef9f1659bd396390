def uninstall_hook(env):
    """Tell the services that this Odoo is gone, as far as they can be reached; the rest goes with the tables."""
    for connection in env["leadline.connection"].with_context(active_test=False).search([("secret", "!=", False)]):
        connection._tell_unpaired()

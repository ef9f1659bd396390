"""Odoo 19 on this machine: `install` fetches it, `database` makes and tests databases, `server` runs it."""

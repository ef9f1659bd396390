"""One machine: embedded adapters, the WhatsApp simulator, Odoo, and the command line."""

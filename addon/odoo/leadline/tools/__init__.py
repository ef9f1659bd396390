"""What the add-on does without Odoo: signatures, keys, grants and the reading of events, as pure functions."""

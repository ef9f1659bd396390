from odoo import SUPERUSER_ID, api, models


class LeadlineAudited(models.AbstractModel):
    """Settings whose changes are noted in the audit trail: who changed which, without the values."""

    _name = "leadline.audited"
    _description = "WhatsApp Audited Settings"

    @api.model_create_multi
    def create(self, vals_list):
        made = super().create(vals_list)
        for record in made:
            record._note_setting(self.env._("%(what)s “%(name)s” added", **record._audited_name()))
        return made

    def write(self, vals):
        written = super().write(vals)
        labels = [
            self._fields[name].get_description(self.env, ["string"])["string"] for name in vals if self._audits(name)
        ]
        for record in self if labels else ():
            changed = self.env._(
                "%(what)s “%(name)s”: %(fields)s", **record._audited_name(), fields=", ".join(sorted(labels))
            )
            record._note_setting(changed)
        return written

    def unlink(self):
        notes = [(record.company_id, record._audited_name()) for record in self]
        gone = super().unlink()
        for company, named in notes:
            self._note_for(company, self.env._("%(what)s “%(name)s” deleted", **named))
        return gone

    def _audits(self, name):
        """Say whether a field is a setting that somebody chooses."""
        field = self._fields[name]
        return not field.readonly and name not in models.MAGIC_COLUMNS

    def _audited_name(self):
        return {"what": self.env["ir.model"]._get(self._name).name, "name": self.display_name}

    def _note_setting(self, detail):
        self.ensure_one()
        self._note_for(self.company_id, detail)

    def _note_for(self, company, detail):
        # What the service tells is nobody's act, and installing is no change.
        if self.env.uid != SUPERUSER_ID and company:
            self.env["leadline.audit"]._note("set", company, detail=detail)

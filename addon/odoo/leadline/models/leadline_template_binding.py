import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_amount, format_date, format_datetime, formatLang

PARAMETER = re.compile(r"(header|body)\.[A-Za-z0-9_]+|buttons\.[0-9]+")
SHOWN_TYPES = frozenset({"char", "text", "selection", "integer", "float", "monetary", "date", "datetime", "many2one"})
"""Types of fields that make sense as words in a message."""

CARDS = [("crm.lead", "Lead"), ("res.partner", "Contact")]
"""Cards from which a path begins. All their fields may be told, as far as they are hidden from nobody."""

BEYOND = {
    "res.users": {"name", "email", "phone"},
    "res.company": {"name", "phone", "email", "website"},
    "crm.team": {"name"},
    "crm.stage": {"name"},
    "res.country": {"name"},
    "res.country.state": {"name"},
}
"""What may be told of records that a card names; of others their name alone."""


class LeadlineTemplateBinding(models.Model):
    """Where the value of a template's parameter comes from: a field of the card, and a text for when it is empty."""

    _name = "leadline.template.binding"
    _description = "WhatsApp Template Value"
    _order = "template, language, parameter, model desc"
    _rec_name = "parameter"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    line_id = fields.Many2one("leadline.line", check_company=True, ondelete="cascade", index=True)
    template = fields.Char(required=True, index=True, help="Name of the template, as WhatsApp has it.")
    language = fields.Char(help="Language of the template, as WhatsApp has it, such as pt_BR. Empty: every language.")
    parameter = fields.Char(
        required=True,
        default="body.1",
        help="Which of the template's values: body.1, body.first_name, header.1, or buttons.0 for the first button.",
    )
    model = fields.Selection(CARDS, string="Card", required=True, default="crm.lead")
    expression = fields.Char("Field", required=True, help="Path from the card, such as partner_id.name.")
    fallback = fields.Char(help="What to write when the field is empty.")

    _place_unique = models.UniqueIndex(
        "(company_id, COALESCE(line_id, 0), template, COALESCE(language, ''), parameter, model)",
        "This value has a field already.",
    )

    @api.constrains("parameter")
    def _check_parameter(self):
        for binding in self:
            if not PARAMETER.fullmatch(binding.parameter):
                raise ValidationError(
                    self.env._("%s is no value of a template. Write body.1, header.1 or buttons.0.", binding.parameter)
                )

    @api.constrains("expression", "model")
    def _check_expression(self):
        for binding in self:
            binding._follow()

    def _follow(self):
        """Return the fields on the way from the card to the value.

        :raise ValidationError: when the path leads nowhere, or to what may not be told
        """
        self.ensure_one()
        model, path = self.env[self.model], []
        for name in self.expression.split("."):
            field = model._fields.get(name) if model is not None else None
            if field is None or not self._may_tell(field):
                raise ValidationError(
                    self.env._(
                        "%(path)s can't be used: %(name)s is no field of the card that may be told to a customer.",
                        path=self.expression,
                        name=name,
                    )
                )
            path.append(field)
            model = self.env[field.comodel_name] if field.type == "many2one" else None
        return path

    @api.model
    def _may_tell(self, field):
        """Say whether a field's value may stand in a message: who may be told decides the customer's card, not us."""
        if field.groups or field.type not in SHOWN_TYPES:
            return False
        return field.model_name in dict(CARDS) or field.name in BEYOND.get(
            field.model_name, {self.env[field.model_name]._rec_name}
        )

    # ------------------------------------------------------------
    # Values
    # ------------------------------------------------------------

    @api.model
    def _values(self, cards, line, template, language):
        """Return the values of a template's parameters, as far as something is bound to them.

        :param cards: the records by model name, of which the values are; read with the user's rights
        :return: texts by parameter
        """
        bindings = self.search(
            Domain("template", "=", template)
            & Domain("language", "in", (False, language))
            & Domain("line_id", "in", (False, line.id))
            & Domain("company_id", "=", line.company_id.id)
        )
        # The one that says more of where it holds goes first.
        nearest = bindings.sorted(lambda binding: (bool(binding.line_id), bool(binding.language)), reverse=True)
        return {parameter: some._value(cards, language) for parameter, some in nearest.grouped("parameter").items()}

    def _value(self, cards, language):
        """Return the first of the bindings' values that is not empty, else the first fallback."""
        found = (binding._read_from(cards.get(binding.model), language) for binding in self)
        return next(filter(None, found), "") or next(filter(None, self.mapped("fallback")), "")

    def _read_from(self, card, language):
        """Return the value on a card as a text of one line; empty when there is none or the user may not read it."""
        self.ensure_one()
        if not card:
            return ""
        *way, last = self._follow()
        record = card.with_context(lang=self._language(card, language))
        try:
            for field in way:
                record = record[field.name]
            # WhatsApp takes neither line breaks nor tabs in a value.
            return " ".join(self._text(record, last).split()) if record else ""
        except AccessError:
            return ""  # The agent chooses: the field stays open in the picker, or shows the fallback.

    @api.model
    def _language(self, card, language):
        """Return the installed language that a template's is nearest to, else the user's."""
        codes = [code for code, _name in self.env["res.lang"].get_installed()]
        wanted = (language or "").replace("-", "_")
        kin = [code for code in codes if code.split("_")[0] == wanted.split("_")[0]]
        return wanted if wanted in codes else next(iter(kin), self.env.user.lang)

    @api.model
    def _text(self, record, field):
        """Return a field's value as people write it in the record's language."""
        value, env = record[field.name], record.env
        if value is False or value is None or value == "":
            return ""
        if field.type == "selection":
            return dict(field._description_selection(env)).get(value, "")
        if field.type == "many2one":
            return value.display_name or ""
        if field.type == "datetime":
            return format_datetime(env, value, tz=env.user.tz or "UTC", lang_code=env.lang)
        if field.type == "date":
            return format_date(env, value, lang_code=env.lang)
        if field.type == "monetary":
            currency = record[field.get_currency_field(record)] or env.company.currency_id
            return format_amount(env, value, currency, lang_code=env.lang)
        if field.type == "float":
            digits = field.get_digits(env)
            return formatLang(env, value, digits=digits[1] if digits else 2)
        return str(value)

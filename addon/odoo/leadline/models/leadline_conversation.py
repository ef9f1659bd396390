import logging
import time
import traceback
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from ..tools import grant
from ..tools.asked import id_of, identifier_of
from ..tools.event import Erasure, EventRefused, LineEvent, event_id, read_event

_logger = logging.getLogger(__name__)

CARDS = ("crm.lead", "res.partner", "leadline.conversation")
"""The models whose cards show a chat. Who may read the card may read the chat."""

CARD_LIMIT = 80
"""Conversations that one card shows, latest first."""

REACTIONS_APART = timedelta(minutes=10)
"""The owner is told of one reaction in this time."""


SUBJECTS = {LineEvent: "leadline.line", Erasure: "leadline.erasure"}
"""The models that events are about which say nothing of a conversation."""


class BigInteger(fields.Integer):
    """An integer of 64 bits: versions are times in microseconds."""

    _column_type = ("int8", "int8")


class LeadlineConversation(models.Model):
    """What Odoo knows of one conversation: who it is with, whose it is and how it stands. What was said is not here."""

    _name = "leadline.conversation"
    _description = "WhatsApp Conversation"
    _order = "last_at desc, id desc"
    _check_company_auto = True

    name = fields.Char("Customer", required=True, readonly=True)
    identifier = fields.Char(required=True, readonly=True, copy=False)
    contact = fields.Char(
        "Contact ID", required=True, readonly=True, index=True, copy=False, help="The person, over all lines."
    )
    line_id = fields.Many2one("leadline.line", required=True, readonly=True, index=True, ondelete="cascade")
    connection_id = fields.Many2one(related="line_id.connection_id", store=True, index=True)
    company_id = fields.Many2one(related="line_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        index=True,
        check_company=True,
    )
    lead_ids = fields.Many2many(
        "crm.lead",
        "leadline_conversation_lead_rel",
        "conversation_id",
        "lead_id",
        string="Leads",
        # An agent need not be one of CRM's salespeople, and must be able to open the form.
        groups="sales_team.group_sale_salesman",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        index=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Who is told of new messages. Follows the salesperson of the lead.",
    )
    state = fields.Selection(
        [("waiting", "Customer Waits"), ("answered", "Answered"), ("merged", "Merged")],
        compute="_compute_state",
        store=True,
        index=True,
        group_expand="_expand_states",
    )
    window_until = fields.Datetime(
        "Open Until", readonly=True, help="Until then anything may be written; afterwards only templates."
    )
    received_count = fields.Integer("Received", readonly=True, help="Messages that the customer has sent.")
    read_count = fields.Integer("Read", readonly=True, help="How many of them somebody here has read.")
    unread_count = fields.Integer("Unread", compute="_compute_unread_count", store=True)
    last_in = fields.Datetime("Customer's Last Message", readonly=True)
    last_out = fields.Datetime("Our Last Message", readonly=True)
    last_at = fields.Datetime("Last Message", compute="_compute_last_at", store=True, index=True)
    version = BigInteger(readonly=True, aggregator=None)
    alerted_count = fields.Integer(
        "Received When Notified",
        readonly=True,
        aggregator=None,
        help="How many there were when the owner was notified.",
    )
    reaction_alerted_at = fields.Datetime(readonly=True, help="When the owner was last notified of a reaction.")
    merged_into = fields.Char(
        "Continued In", readonly=True, index="btree_not_null", help="The conversation that this one turned out to be."
    )

    _identifier_unique = models.Constraint("UNIQUE (identifier)", "There is a conversation with this id already.")

    # ------------------------------------------------------------
    # Derived
    # ------------------------------------------------------------

    @api.model
    def _expand_states(self, states, domain):
        """Return the board's columns: who waits comes first, also when nobody does."""
        return ["waiting", "answered"]

    @api.depends("lead_ids.partner_id")
    def _compute_partner_id(self):
        for conversation in self:
            conversation.partner_id = conversation.partner_id or conversation._lead().partner_id

    @api.depends("lead_ids.user_id", "partner_id.user_id")
    def _compute_user_id(self):
        for conversation in self:
            # A lead that has lost its salesperson leaves the conversation with who knows it.
            likely = (conversation._lead().user_id, conversation.user_id, conversation.partner_id.user_id)
            # Who is archived answers nobody.
            conversation.user_id = next((user for user in likely if user.active), False)

    @api.depends("last_in", "last_out", "merged_into")
    def _compute_state(self):
        for conversation in self:
            last_in, last_out = conversation.last_in, conversation.last_out
            if conversation.merged_into:
                conversation.state = "merged"
            elif last_in and (not last_out or last_in >= last_out):
                conversation.state = "waiting"
            else:
                conversation.state = "answered"

    @api.depends("received_count", "read_count")
    def _compute_unread_count(self):
        for conversation in self:
            conversation.unread_count = max(conversation.received_count - conversation.read_count, 0)

    @api.depends("last_in", "last_out")
    def _compute_last_at(self):
        for conversation in self:
            conversation.last_at = max(filter(None, (conversation.last_in, conversation.last_out)), default=False)

    def _lead(self):
        """Return the lead that the conversation is mainly about, if it has any."""
        return self.lead_ids._leadline_ranked()[:1]

    # ------------------------------------------------------------
    # Chat on a card
    # ------------------------------------------------------------

    @api.model
    @api.readonly
    def chat_open(self, res_model, res_id):
        """Return what the chat of a card needs to begin, its conversations latest first.

        :raise AccessError: when the user is no agent or may not read the card
        """
        card = self._card(res_model, res_id)
        conversations = self._of_card(card)
        shown = set(conversations.mapped("identifier"))
        conversations = conversations.filtered(lambda found: found.merged_into not in shown)
        connection = conversations.connection_id[:1] or self._company_connection()
        return {
            "conversations": [conversation._chat_summary() for conversation in conversations],
            "chat_url": connection._chat_url() if connection else None,
            "user": {"id": self.env.user.id, "name": self.env.user.name},
            "can_send": self._may_send(card),
            "invitation": self._invitation(card),
        }

    @api.model
    @api.readonly
    def chat_grant(self, res_model, res_id, identifier):
        """Return a grant by which the user's browser may use one of the card's conversations for some minutes.

        :raise AccessError: when the user is no agent, may not read the card, or the card has no such conversation
        """
        card, conversation = self._chat_of_card(res_model, res_id, identifier)
        now = time.time()
        token, expires = grant.mint(
            conversation.connection_id._key("grants"),
            connection=conversation.connection_id.identifier,
            conversation=identifier,
            agent=self.env.user.id,
            name=self.env.user.name,
            can=["read", "send", "note"] if self._may_send(card) else ["read", "note"],
            now=now,
        )
        # A browser's clock may be wrong, and the tab counts down to a time of ours.
        return {"token": token, "expires": expires, "now": now}

    @api.model
    def _card(self, res_model, res_id):
        """Return the card that the user names, after checking that it is theirs to read.

        :raise AccessError: when it is not
        """
        if not self.env.user.has_group("leadline.group_agent"):
            raise AccessError(self.env._("Only agents may read chats."))
        if res_model not in CARDS:
            raise AccessError(self.env._("There is no chat on this card."))
        card = self.env[res_model].browse(id_of(res_id)).exists()
        # In one sentence, so that nobody learns which cards there are.
        if not card or not card.has_access("read"):
            raise AccessError(self.env._("This card has been deleted, or you may not read it."))
        return card

    @api.model
    def _may_send(self, card):
        """Say whether the user may write to the customer from this card: who may change it may."""
        # Agents never change mirror rows themselves, so that there reading decides.
        return card._name == self._name or card.has_access("write")

    @api.model
    def _chat_of_card(self, res_model, res_id, identifier, *, writing=False):
        """Return the card that the user names and, in sudo, one of its conversations, after checking both.

        :param writing: the user is about to do what only who may write to the customer may
        :raise AccessError: when it is not theirs, or the card has no such conversation
        """
        card = self._card(res_model, res_id)
        if writing and not self._may_send(card):
            raise AccessError(self.env._("You may read this card, not write to its customer."))
        # One that continues in another is among them: whoever has it open may go on with it.
        conversation = self._of_card(card, Domain("identifier", "=", identifier_of(identifier)))
        if not conversation:
            raise AccessError(self.env._("This conversation does not belong to this card."))
        return card, conversation

    @api.model
    def _of_card(self, card, domain=Domain.TRUE):
        """Return, in sudo, the conversations of a card, as far as their companies are the user's."""
        # sudo: access to the card has been checked and the chat follows the card. The rules on mirror rows are for
        # the inbox, and know less.
        in_companies = Domain("company_id", "in", self.env.user.company_ids.ids)
        return self.sudo().search(self._card_domain(card) & in_companies & domain, limit=CARD_LIMIT)

    @api.model
    def _card_domain(self, card):
        if card._name == "crm.lead":
            linked = Domain("lead_ids", "in", card.ids)
            # sudo: a lead that may be read may have a contact that may not.
            partner = card.sudo().partner_id
            return linked | Domain("partner_id", "=", partner.id) if partner else linked
        if card._name == "res.partner":
            # A company shows what its people write, as far as the user may read these people's cards.
            people = card.with_context(active_test=False).search([("id", "child_of", card.id)])
            return Domain("partner_id", "in", people.ids)
        return Domain("id", "in", card.ids)

    @api.model
    def _company_connection(self):
        # sudo: agents may not read connections; only the address leaves this method.
        return self.env["leadline.connection"].sudo().search([("company_id", "=", self.env.company.id)], limit=1)

    def _chat_summary(self):
        self.ensure_one()
        owner = self.user_id
        return {
            "id": self.identifier,
            "line": self.line_id._chat_summary(),
            "contact": self.name,
            "unread": self.unread_count,
            "window_until": f"{self.window_until.isoformat()}Z" if self.window_until else None,
            "owner": {"id": owner.id, "name": owner.name} if owner else None,
            "merged_into": self.merged_into or None,
            "chat_url": self.connection_id._chat_url(),
        }

    # ------------------------------------------------------------
    # Events
    # ------------------------------------------------------------

    @api.model
    def _apply_events(self, connection, raw_events):
        """Apply a batch of events of a connection and return one result per event, in their order.

        Applying an event again changes nothing. One that can't be applied is refused with a sentence and costs no
        other. A conflict with another transaction is raised, so that whoever called runs the whole batch again.

        :param raw_events: JSON values, as `tools.event` reads them
        """
        results = [None] * len(raw_events)
        alerts = []
        known = self._known(raw_events)
        # Every batch takes its subjects in the same order, so that two of them can't wait for each other.
        for position in sorted(range(len(raw_events)), key=lambda index: _subject_of(raw_events[index])):
            results[position], alert = self._apply_guarded(connection, raw_events[position], known)
            if alert:
                alerts.append(alert)
        # Only now, since rolling back to a savepoint also drops what is about to be sent.
        self._send_alerts(alerts)
        self.env["leadline.notice"]._wake()
        return results

    @api.model
    def _known(self, raw_events):
        """Return the rows that a batch is about as far as they are here, by identifier, locked.

        All at once: what one of them needs is then read for all of them.
        """
        subjects = {subject for raw_event in raw_events if (subject := _subject_of(raw_event))}
        rows = self.search([("identifier", "in", list(subjects))], order="id")
        rows._lock()
        return {row.identifier: row for row in rows}

    @api.model
    def _apply_guarded(self, connection, raw_event, known):
        """Apply one event in a savepoint of its own. Return its result and what to alert agents of, if anything.

        :param known: rows by identifier, to which a new one is added
        """
        result = {"id": event_id(raw_event), "ok": False}
        try:
            with self.env.cr.savepoint():
                event = read_event(raw_event)
                other = SUBJECTS.get(type(event))
                if other:
                    subject = self.env[other]._apply_event(connection, event)
                else:
                    subject = self._apply_event(connection, event, known)
                result |= subject._event_result()
                alert = subject._prepare_alert(event)
            # Not before: what was rolled back is not here.
            if isinstance(event, Erasure):
                for identifier in [name for name, row in known.items() if not row.exists()]:
                    del known[identifier]
            elif not other:
                known[event.conversation.id] = subject
            return result, alert
        except (psycopg2.OperationalError, psycopg2.InterfaceError, ConcurrencyError):
            raise
        except (EventRefused, UserError) as refusal:
            return result | {"refused": str(refusal)}, None
        except Exception as error:
            # The edge of one item: a fault in its data, or in what other modules do with it, must not cost the
            # others. Neither the error's text nor its values are logged, since they may tell of the customer.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _logger.error("Event %s met a %s:\n%s", result["id"], type(error).__name__, frames)
            return result | {"refused": f"Odoo could not apply this event ({type(error).__name__})."}, None

    @api.model
    def _apply_event(self, connection, event, known):
        """Bring the mirror row up to what the event tells and return it."""
        told = event.conversation
        row = known.get(told.id, self.browse())
        line = self.env["leadline.line"]._of_event(connection, told.line, row.line_id)
        # From here on as somebody of the line's company would do it.
        company = line.company_id
        conversations = self.with_company(company).with_context(lang=company.partner_id.lang)
        conversation = row.with_env(conversations.env) or conversations._meet(line, told)
        if conversation.connection_id != connection:
            raise EventRefused("The conversation belongs to another connection.")
        newer = told.version > conversation.version
        if newer:
            conversation._take_state(told)
        if event.status == "failed":
            conversation._take_failure(event.message)
        conversation._take_message(event)
        if event.type == "message.received":
            conversation._ring(event)
            conversation._notify_owner()
        # Only the customer's own reactions make the conversation newer; one that is told again does not.
        elif newer and event.what == "reaction":
            conversation._notify_reaction()
        return conversation

    def _lock(self):
        """Keep others from changing the rows until this transaction ends, waiting for those who are at it.

        Raises `psycopg2.errors.SerializationFailure` when somebody has changed one since this transaction began.
        """
        # By hand: `lock_for_update` gives up instead of waiting, and a conflict that an UPDATE meets is logged with
        # the values of the row.
        if self:
            # In one order, so that two who lock several can't wait for each other.
            query = SQL(
                "SELECT FROM leadline_conversation WHERE id IN %s ORDER BY id FOR NO KEY UPDATE", tuple(self.ids)
            )
            self.env.cr.execute(query, log_exceptions=False)

    @api.model
    def _meet(self, line, told):
        """Create the row of a conversation that was never heard of, linked to who is known already."""
        claims = self.env["leadline.claim"]
        # Both, as the same person may write to two lines at once.
        claims._take(f"contact/{told.contact.id}")
        claims._take(f"conversation/{told.id}")
        partner, leads = self._find_customer(line, told)
        return self.create(
            {
                "identifier": told.id,
                "contact": told.contact.id,
                "name": told.contact.shown_name or self.env._("WhatsApp customer"),
                "line_id": line.id,
                "partner_id": partner.id,
                "lead_ids": [Command.set(leads.ids)],
                # Below every version, so that the first state told is taken.
                "version": -1,
            }
        )

    def _take_state(self, told):
        """Take over a newer state, and meet a customer who speaks for the first time."""
        self.ensure_one()
        first_words = told.received and not self.received_count and not told.merged_into
        merged = told.merged_into and not self.merged_into
        self.write(
            {
                "name": told.contact.shown_name or self.name,
                "received_count": told.received,
                "read_count": told.read,
                "last_in": told.last_in,
                "last_out": told.last_out,
                "window_until": told.window_until,
                "merged_into": told.merged_into,
                "version": told.version,
            }
        )
        if merged:
            self._hand_over()
        if first_words:
            self._welcome(told.contact)

    def _take_message(self, event):
        """Take over what an event tells of its message, which may have been told before."""

    def _hand_over(self):
        """Give partner and leads to the conversation that this one turned out to be, if it is here already."""
        self.ensure_one()
        elder = self.search([("identifier", "=", self.merged_into), ("connection_id", "=", self.connection_id.id)])
        if elder:
            elder._lock()
            elder.write(
                {
                    "partner_id": (elder.partner_id or self.partner_id).id,
                    "lead_ids": [Command.link(lead.id) for lead in self.lead_ids],
                }
            )

    # ------------------------------------------------------------
    # Customers
    # ------------------------------------------------------------

    @api.model
    def _find_customer(self, line, told):
        """Return the partner and the leads that a conversation belongs to, as far as they are known.

        First by the person's other conversations, then by every living form of their number.
        """
        kin = self.search(
            Domain("connection_id", "=", line.connection_id.id)
            & (Domain("contact", "=", told.contact.id) | Domain("merged_into", "=", told.id))
        )
        if kin.partner_id or kin.lead_ids:
            leads = kin.lead_ids._leadline_ranked()
            return leads.partner_id[:1] or kin.partner_id[:1], leads
        if not told.contact.phones:
            return self.env["res.partner"], self.env["crm.lead"]
        in_company = Domain("company_id", "in", (False, line.company_id.id))
        by_phone = Domain("phone_sanitized", "in", told.contact.phones)
        partners = self.env["res.partner"].search(by_phone & in_company)
        leads = self.env["crm.lead"].search((by_phone | Domain("partner_id", "in", partners.ids)) & in_company)
        return self._choose_customer(partners, leads)

    @api.model
    def _choose_customer(self, partners, leads):
        """Return the one partner, and the leads that go with it, out of those whose number fits."""
        leads = leads._leadline_ranked()
        # The newest of those that somebody looks after, else the newest.
        newest = partners.sorted("id", reverse=True)
        partner = leads[:1].partner_id or (newest.filtered("user_id") or newest)[:1]
        return partner, leads.filtered(lambda lead: lead.partner_id in (partner, self.env["res.partner"]))

    def _welcome(self, contact):
        """Make of a customer's first words what the line says: a contact, a lead, both, or neither."""
        self.ensure_one()
        line = self.line_id
        known = self.partner_id or self.lead_ids
        if not self.partner_id and line.unknown_customer != "nothing":
            self.partner_id = self.env["res.partner"].create(self._prepare_partner(contact))
        if not known and line.unknown_customer == "lead":
            self._make_lead(contact)
        elif self.partner_id:
            self.lead_ids.filtered(lambda lead: not lead.partner_id)._handle_partner_assignment(
                force_partner_id=self.partner_id.id, create_missing=False
            )

    def _make_lead(self, contact):
        """Make a lead of the customer and leave it to CRM whose it is, where the line does not say."""
        self.ensure_one()
        lead = self.env["crm.lead"].create(self._prepare_lead(contact.phone))
        self.lead_ids = [Command.link(lead.id)]
        lead._assign_userless_lead_in_team(self.env._("WhatsApp"))
        if lead.user_id:
            # CRM has just told them of the lead, and with it of what was written.
            self.alerted_count = self.received_count

    def _prepare_partner(self, contact):
        """Return the values of the partner that a customer becomes."""
        self.ensure_one()
        return {
            "name": self.name,
            "phone": contact.phone or False,
            "user_id": (self._lead().user_id or self.line_id.user_id).id,
        }

    def _prepare_lead(self, phone):
        """Return the values of the lead that a customer with this number becomes; the number may be empty."""
        self.ensure_one()
        line = self.line_id
        return {
            "name": self.env._("WhatsApp: %s", self.name),
            "partner_id": self.partner_id.id,
            "contact_name": self.name,
            "phone": phone or False,
            # Somebody may have deleted them: a lead without source is better than none.
            "source_id": self.env["ir.model.data"]._xmlid_to_res_id("leadline.utm_source_whatsapp"),
            "medium_id": self.env["ir.model.data"]._xmlid_to_res_id("leadline.utm_medium_whatsapp"),
            "team_id": line.team_id.id,
            # Given even when empty: the default would be whoever runs this, which is nobody.
            "user_id": line.user_id.id,
            "company_id": line.company_id.id,
        }

    # ------------------------------------------------------------
    # Telling people
    # ------------------------------------------------------------

    def _event_result(self):
        """Return the part of an event's result that says whose the conversation is and which cards show it."""
        self.ensure_one()
        cards = [*(self._lead() | self.lead_ids._leadline_ranked()), *self.partner_id]
        owner = self.user_id
        return {
            "ok": True,
            "records": [{"model": card._name, "id": card.id, "name": card.display_name} for card in cards],
            "owner": {"id": owner.id, "name": owner.name} if owner else None,
        }

    def _prepare_alert(self, event):
        """Return what open tabs are told of an event, as the bus has it: its type and what it says.

        It reaches every agent, so it names ids and counts only.
        """
        self.ensure_one()
        return "leadline/conversation", {
            "conversation": self.identifier,
            "message": event.message,
            "event": event.type,
            "unread": self.unread_count,
            "version": self.version,
        }

    @api.model
    def _send_alerts(self, alerts):
        agents = self.env.ref("leadline.group_agent")
        for type_, told in alerts:
            agents._bus_send(type_, told)

    def _notify_owner(self):
        """Notify the owner of a customer who writes: once, until what was written has been read."""
        self.ensure_one()
        alerted = self.alerted_count > self.read_count
        if alerted or not self.unread_count or not self._alert_card():
            return
        self.alerted_count = self.received_count
        self.env["leadline.notice"]._ask(self, "message")

    def _notify_reaction(self):
        """Notify the owner of a customer who reacts. Reactions are never unread, so time keeps them from crowding."""
        self.ensure_one()
        now = fields.Datetime.now()
        if not self._alert_card() or (self.reaction_alerted_at and now - self.reaction_alerted_at < REACTIONS_APART):
            return
        self.reaction_alerted_at = now
        self.env["leadline.notice"]._ask(self, "reaction")

    def _tell_owner(self, about):
        """Notify the owner, unless there is none any more or what came has been read meanwhile."""
        self.ensure_one()
        card = self.user_id and self._card_for(self.user_id)
        if not card or (about == "message" and not self.unread_count):
            return
        env = self.with_context(lang=self.user_id.lang).env
        if about == "message":
            subject = env._("New WhatsApp message")
            body = env._("There is a new WhatsApp message for %s.", card.display_name)
        else:
            subject = env._("Reaction on WhatsApp")
            body = env._("The customer's reaction to a WhatsApp message has changed: %s.", card.display_name)
        card.message_notify(partner_ids=self.user_id.partner_id.ids, subject=subject, body=body)

    def _alert_card(self):
        """Return the card that the owner is to look at; none when there is nobody to tell."""
        return self.user_id and (self._lead() or self.partner_id)

    def _card_for(self, user):
        """Return the card on which a user can be told of the conversation: the first that they may open, if any."""
        return next((card for card in self._cards() if card and self._may_open(card, user)), None)

    def _cards(self):
        return self._lead(), self.partner_id

    @api.model
    def _may_open(self, card, user):
        """Say whether a user may read a card, as they themselves would be asked, in all companies that are theirs."""
        return card.with_user(user).with_context(allowed_company_ids=user.company_ids.ids).has_access("read")


def _subject_of(raw_event):
    """Return the id of what an event is about, which may be malformed, to order a batch by."""
    event = raw_event if isinstance(raw_event, dict) else {}
    subject = event.get("conversation") or event.get("line") or event
    return event_id(subject)

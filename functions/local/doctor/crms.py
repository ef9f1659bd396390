"""Each connection, in the directions that the network allows: we post to the CRM, or the CRM fetches from us."""

from collections.abc import Sequence
from datetime import UTC, datetime

from functions.core.checkup.finding import Finding, ago
from functions.core.events import waiting
from functions.core.lines import Connection
from functions.core.reach import PULLING, reach_key
from functions.core.secrets import SealBroken
from functions.local.doctor.patient import Patient
from functions.sync.crm import CrmUnreachable
from functions.sync.odoo import Odoo

_ONLY_FROM_HERE = frozenset({"dns", "private", "refused", "timeout", "interrupted"})
"""What may be wrong with this machine's network alone."""

_PAIR = "Pair it again: leadline connect odoo prints a code."
_MEND = {
    "signature": _PAIR,
    "connection_unknown": _PAIR,
    "clock": "Let both clocks be set by NTP.",
    "not_found": "Install the add-on Leadline there, and look at the address and the database of the connection.",
}


async def each(patient: Patient) -> Sequence[Finding]:
    """Hand each CRM an empty batch, signed as any other."""
    return [await _connection(patient, connection) for connection in patient.connections]


async def _connection(patient: Patient, connection: Connection) -> Finding:
    name, settings = f"connection {connection.id}", patient.ports.settings
    seal = settings.connection_keys
    if seal is None:
        return Finding(name, "unknown", "LEADLINE_CONNECTION_KEYS is not set here", "Set it to ask with its secret.")
    if not connection.secrets:
        return Finding(name, "warn", "no CRM is paired with it", "leadline connect odoo prints a code to pair one.")
    if not connection.url:
        return await _unreachable(patient, connection, CrmUnreachable("no_address"))
    crm = Odoo(patient.client, lambda: patient.now.timestamp(), allow_private=settings.allow_private_crm)
    try:
        secrets = [seal.open(secret) for secret in connection.secrets]
        await crm.deliver(connection, secrets, [])
    except SealBroken as error:
        return Finding(name, "bad", str(error), "Put the data key that sealed it into LEADLINE_CONNECTION_KEYS.")
    except CrmUnreachable as error:
        return await _unreachable(patient, connection, error)
    more = "; two secrets are valid" if len(secrets) > 1 else ""
    return Finding(name, "ok", f"takes what is posted to it{more}")


async def _unreachable(patient: Patient, connection: Connection, error: CrmUnreachable) -> Finding:
    name = f"connection {connection.id}"
    [known] = await patient.ports.store.get([reach_key(connection.id)])
    fared = known.fields if known else {}
    last = datetime.fromtimestamp(fared["pulled"], UTC) if "pulled" in fared else None
    if last and patient.now - last < PULLING:
        return Finding(name, "ok", f"can't be posted to ({error}) but fetches by itself, {ago(last, patient.now)}")
    mend = _MEND.get(error.code, "Look whether the CRM is up; where it can't be reached, let its add-on fetch.")
    fares_well = "failures" not in fared and not await patient.ports.store.query(waiting(connection.id, 1))
    if error.code in _ONLY_FROM_HERE and fares_well:
        return Finding(name, "warn", f"can't be reached from here ({error}) Nothing waits for it.", mend)
    return Finding(name, "bad", f"can't be posted to ({error}) and it did not fetch lately", mend)

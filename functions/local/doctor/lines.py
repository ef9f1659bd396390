"""The lines, each with the checks that also run on schedule."""

from collections.abc import Sequence

from functions.core.checkup.finding import Finding
from functions.core.checkup.line import examine_line
from functions.local.doctor.patient import Patient


async def known(patient: Patient) -> Sequence[Finding]:
    """There is something to look after."""
    if not patient.lines:
        mend = "leadline line add: until then whatever Meta delivers is put aside."
        return [Finding("lines", "warn", "none", mend)]
    return [Finding("lines", "ok", ", ".join(line.id for line in patient.lines))]


async def each(patient: Patient) -> Sequence[Finding]:
    """Look at each line: token, number, callback, subscription, speed, sending, templates, last message."""
    return [
        finding
        for line in patient.lines
        for finding in await examine_line(patient.ports, patient.graph, line, timer=patient.timer)
    ]

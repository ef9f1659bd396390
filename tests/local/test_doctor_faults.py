"""Each fault that can be switched on is found, said in words, and told how to mend."""

from pathlib import Path

import pytest

from functions.local.doctor import examination
from tests.doctor_faults import FAULTS, Fault, complaints, surgery


async def test_of_a_healthy_deployment_nothing_is_said(tmp_path: Path) -> None:
    async with surgery(tmp_path) as patient:
        found = await patient.findings()
    assert not complaints(found)
    assert examination.exit_code(found) == 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
async def test_a_fault_is_found_and_told_how_to_mend(tmp_path: Path, fault: Fault) -> None:
    async with surgery(tmp_path) as patient:
        await fault.switch_on(patient)
        found = await patient.findings()
    said = [one for one in found if one.name == fault.check]
    assert [one.state for one in said] == [fault.state], complaints(found)
    assert fault.says in said[0].seen
    assert said[0].mend
    assert examination.exit_code(found) == (1 if any(one.state == "bad" for one in found) else 0)

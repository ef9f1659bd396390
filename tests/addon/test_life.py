"""What the module leaves behind, and how it fares beside others and over an upgrade, in real databases."""

import ast
import base64
from pathlib import Path

import pytest

from functions.local.child import run
from functions.local.odoo.database import ADDONS, Databases

pytestmark = pytest.mark.timeout(1200)

BESIDE = ("sms", "im_livechat", "website", "hr_holidays")
"""Modules that touch the same forms, menus and assets."""

_PLACES = {
    "columns": "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint",
    "sequences": "SELECT sequencename FROM pg_sequences",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model || '.' || name FROM ir_model_fields",
    "selections": "SELECT field_id || ' ' || value FROM ir_model_fields_selection",
    # The list of modules that could be installed names ours as well, installed or not.
    "names of records": "SELECT module || '.' || name FROM ir_model_data WHERE name NOT LIKE 'module_leadline%'",
    "scheduled actions": "SELECT cron_name FROM ir_cron",
    "parameters": "SELECT key FROM ir_config_parameter WHERE key NOT LIKE 'local.checksum.%'",
    "assets": "SELECT bundle || ' ' || path FROM ir_asset",
    "menus": "SELECT id::text FROM ir_ui_menu",
    "actions": "SELECT id::text FROM ir_actions",
    "views": "SELECT id::text FROM ir_ui_view",
    "groups": "SELECT id::text FROM res_groups",
    "implied groups": "SELECT gid || ' ' || hid FROM res_groups_implied_rel",
    "users' groups": "SELECT uid || ' ' || gid FROM res_groups_users_rel",
    "privileges": "SELECT id::text FROM res_groups_privilege",
    "rules": "SELECT id::text FROM ir_rule",
    "access": "SELECT id::text FROM ir_model_access",
    "sources": "SELECT name::text FROM utm_source",
    "media": "SELECT name::text FROM utm_medium",
    "next steps": "SELECT id::text FROM ir_actions_todo",
    "attachments": "SELECT res_model || ' ' || name FROM ir_attachment WHERE res_model LIKE 'leadline%'",
    "messages": "SELECT model FROM mail_message WHERE model LIKE 'leadline%'",
}

# A connection that is not really there, a line, and a customer who has written: a lead.
_LIVE = f"""
connection = env["leadline.connection"].create({{
    "identifier": "conn", "url": "http://127.0.0.1:9", "secret": "{base64.urlsafe_b64encode(b"x" * 32).decode()}",
}})
told = {{
    "id": "event-1", "type": "message.received", "at": "2026-11-20T10:00:01Z",
    "conversation": {{
        "id": "conv-1", "version": 1, "received": 1, "read": 0, "merged_into": None,
        "line": {{"id": "line-1", "phone_number_id": "1", "number": "+1 202 555 0100", "name": "Shop"}},
        "contact": {{"id": "contact-1", "name": "Ada", "phone": "+12025550143", "phone_variants": ["+12025550143"]}},
        "last_in": "2026-11-20T10:00:00Z", "last_out": None, "window_until": "2026-11-21T10:00:00Z",
    }},
    "message": {{"id": "message-1"}},
}}
[result] = env["leadline.conversation"]._apply_events(connection, [told])
assert result["ok"], result
"""


def _standing(databases: Databases, name: str) -> dict[str, set[str]]:
    return {what: set(databases.postgres.sql(query, name)) for what, query in _PLACES.items()}


def test_uninstalling_leaves_the_leads_and_nothing_else(databases: Databases) -> None:
    # What it needs stays: others may need it by now.
    manifest = ast.literal_eval((ADDONS / "leadline" / "__manifest__.py").read_text())
    databases.create("left", manifest["depends"], template="base")
    before = _standing(databases, "left")
    databases.update("left", ["leadline"])
    databases.run_script("left", _LIVE)
    databases.run_script("left", 'env["ir.module.module"]._get("leadline").button_immediate_uninstall()')
    after = _standing(databases, "left")
    extra = {what: sorted(after[what] - before[what]) for what in before if after[what] - before[what]}
    missing = {what: sorted(before[what] - after[what]) for what in before if before[what] - after[what]}
    assert (extra, missing) == ({}, {})
    assert databases.postgres.sql("SELECT contact_name FROM crm_lead", "left") == ["Ada"]


def test_an_upgrade_with_data_warns_of_nothing_and_keeps_all(databases: Databases, tmp_path: Path) -> None:
    databases.create("upgraded", ["leadline"], template="base")
    databases.run_script("upgraded", _LIVE)
    # Nothing of these is run: it is the upgrade that is looked at.
    run = databases.run_tests("upgraded", "/leadline:TestKeys", tmp_path / "odoo.log", modules=["leadline"])
    assert run.passed, run.log.read_text(errors="replace")[-20000:]
    assert not run.warnings
    assert databases.postgres.sql("SELECT name FROM leadline_conversation", "upgraded") == ["Ada"]


def test_it_works_beside_modules_that_touch_the_same_places(
    databases: Databases, tmp_path: Path, counted_inside: dict[str, int]
) -> None:
    databases.create("beside", template="base")
    classes = ("TestTour", "TestEvents", "TestCustomers", "TestInbox", "TestPairing")
    tags = ",".join([*(f"/leadline:{name}" for name in classes), "time_off/leadline"])
    run = databases.run_tests("beside", tags, tmp_path / "odoo.log", modules=[*BESIDE, "leadline"], timeout=1100)
    counted_inside["inside Odoo, beside other modules"] = run.tests
    said = run.log.read_text(errors="replace")
    assert run.passed, said[-20000:]
    assert "Starting TestTimeOff.test_" in said
    assert not [warning for warning in run.warnings if "leadline" in warning], run.warnings


def test_a_neutralized_copy_calls_nobody(databases: Databases) -> None:
    databases.create("original", ["leadline"], template="base")
    databases.run_script("original", _LIVE)
    databases.create("copied", template="original")
    done = run(databases.command("neutralize", "-d", "copied"), env=databases.odoo.environment())
    assert done.returncode == 0, done.stderr
    [connection] = databases.postgres.sql("SELECT concat(secret, ' ', url) FROM leadline_connection", "copied")
    assert connection == " https://neutralized.invalid"
    crons = "SELECT cron_name FROM ir_cron WHERE active AND cron_name LIKE 'Leadline%'"
    assert databases.postgres.sql(crons, "copied") == []
    assert databases.postgres.sql(crons, "original") != []

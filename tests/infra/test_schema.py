"""Every argument is one that the provider knows; what a slip of the pen would do is found without Google."""

from collections.abc import Callable

import pytest

from tests.infra import schema
from tests.infra.module import Module

SCHEMA = schema.load()


def test_the_provider_knows_every_argument(module: Module) -> None:
    assert list(schema.problems(module, SCHEMA)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("queues.tf", "max_attempts ", "max_attemps ", "there is no argument max_attemps (is max_attempts meant?)"),
        ("queues.tf", "rate_limits {", "rate_limit {", "there is no block rate_limit (is rate_limits meant?)"),
        ("queues.tf", "max_attempts  = -1", "max_attempts  = true", "max_attempts must be a number"),
        ("media.tf", "max_age_seconds = 3600", 'max_age_seconds = "hour"', "max_age_seconds must be a number"),
        ("media.tf", "= var.crm_origins", '= "*"', "origin must be a ['list', 'string']"),
        ("media.tf", "soft_delete_policy {", "soft_delete_policy = {", "there is no argument soft_delete_policy"),
        ("firestore.tf", "location_id ", "# ", "location_id is missing"),
        ("firestore.tf", 'dynamic "fields"', 'dynamic "field"', "there is no block field (is fields meant?)"),
        ("scheduler.tf", "name             = ", "state            = ", "state can only be read"),
        ("scheduler.tf", "  http_target {\n", "  http_target {\n  }\n  http_target {\n", "http_target may stand once"),
        ("scheduler.tf", "tasks.email", "tasks.mail", "google_service_account has no mail"),
        ("scheduler.tf", "tasks.email", "task.email", "google_service_account.task is not declared"),
        ("scheduler.tf", '"google_cloud_scheduler_job"', '"google_cloud_schedule_job"', "there is no such type"),
        ("main.tf", "billing_project ", "biling_project ", "there is no argument biling_project"),
    ],
)
def test_a_slip_is_found(changed: Callable[[str, str, str], Module], file: str, old: str, new: str, said: str) -> None:
    assert any(said in problem for problem in schema.problems(changed(file, old, new), SCHEMA))

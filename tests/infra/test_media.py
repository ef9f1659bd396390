from functions.core.cloud_storage import UPLOAD_HEADERS
from functions.core.media import ARRIVING, ARRIVING_SECONDS
from tests.infra.module import Body, Module


def bucket(module: Module) -> Body:
    return module.resource("google_storage_bucket", "media")


def test_a_browser_may_upload_and_fetch(module: Module) -> None:
    [cors] = bucket(module)["cors"]
    assert set(cors["method"]) == {"GET", "HEAD", "PUT"}
    assert set(cors["response_header"]) == {"Range", *UPLOAD_HEADERS}


def test_nobody_reads_a_file_without_a_signed_url(module: Module) -> None:
    assert bucket(module)["public_access_prevention"] == "enforced"
    assert bucket(module)["uniform_bucket_level_access"] is True


def test_a_deleted_file_leaves_no_copy(module: Module) -> None:
    [soft_delete] = bucket(module)["soft_delete_policy"]
    assert soft_delete["retention_duration_seconds"] == 0
    assert "versioning" not in bucket(module)


def test_an_upload_that_no_message_took_goes_away(module: Module) -> None:
    [rule] = bucket(module)["lifecycle_rule"]
    [condition], [action] = rule["condition"], rule["action"]
    assert condition["matches_prefix"] == [f"{ARRIVING}/"]
    assert condition["age"] * 86400 == ARRIVING_SECONDS
    assert action["type"] == "Delete"


def test_who_erases_may_delete_files(module: Module) -> None:
    roles = module.resource("google_storage_bucket_iam_member", "media")["for_each"]
    assert {role["function"] for role in roles.values() if role["role"] == "roles/storage.objectUser"} == {
        "sender",
        "sync",
    }


def test_what_holds_data_is_not_destroyed_by_a_slip(module: Module) -> None:
    held = {
        labels for labels, body in module.blocks("resource") if body.get("lifecycle", [{}])[0].get("prevent_destroy")
    }
    assert held == {
        ("google_firestore_database", "store"),
        ("google_storage_bucket", "media"),
        ("google_secret_manager_secret", "secret"),
    }

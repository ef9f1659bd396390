# What Terraform plans, with a provider that invents what Google would answer.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_service_account" {
    defaults = { member = "serviceAccount:somebody@example.com" }
  }
}

variables {
  project     = "leadline-staging"
  region      = "europe-west1"
  alert_email = "admin@example.com"
  archive     = "functions.zip"
}

run "addresses_are_known_beforehand" {
  command = plan

  assert {
    condition     = output.meta.callback_url == "https://leadline-webhook-123456789012.europe-west1.run.app/webhook"
    error_message = "Meta would be given ${output.meta.callback_url}."
  }
  assert {
    condition     = output.crm == "https://leadline-chat-123456789012.europe-west1.run.app"
    error_message = "The CRM would be given ${output.crm}."
  }
  assert {
    condition     = google_cloud_scheduler_job.job["sweep"].http_target[0].uri == output.settings.LEADLINE_SYNC_URL
    error_message = "The sweep does not reach the sync function."
  }
}

run "workers_are_closed_to_the_public" {
  command = plan

  assert {
    condition = alltrue([
      for name, caller in google_cloud_run_v2_service_iam_member.caller :
      (caller.member == "allUsers") == contains(["webhook", "chat"], name)
    ])
    error_message = "Only webhook and chat may be called by anyone."
  }
  assert {
    condition = alltrue([
      for name, function in google_cloudfunctions2_function.function :
      (function.service_config[0].ingress_settings == "ALLOW_ALL") == contains(["webhook", "chat"], name)
    ])
    error_message = "The workers must be reachable from inside only."
  }
}

run "a_secret_is_given_to_its_readers_only" {
  command = plan

  assert {
    condition     = [for secret in google_cloudfunctions2_function.function["sender"].service_config[0].secret_environment_variables : secret.key] == ["LEADLINE_TOKEN_KEYS"]
    error_message = "The sender reads the token keys and no other secret."
  }
  assert {
    condition     = length(google_secret_manager_secret_iam_member.reader) == 5
    error_message = "Five pairs of a secret and its reader."
  }
}

run "data_is_kept_by_default" {
  command = plan

  assert {
    condition     = google_firestore_database.store.delete_protection_state == "DELETE_PROTECTION_ENABLED" && !google_storage_bucket.media.force_destroy
    error_message = "Documents and files must be protected."
  }
  assert {
    condition     = google_storage_bucket.media.soft_delete_policy[0].retention_duration_seconds == 0 && alltrue([for rule in google_storage_bucket.media.lifecycle_rule : contains(rule.condition[0].matches_prefix, "_arriving/")])
    error_message = "What is deleted is gone, and nothing is deleted by itself but uploads that no message took."
  }
}

run "choices_are_followed" {
  command = plan

  variables {
    environment     = "staging"
    store_location  = "eur3"
    media_days      = 365
    instances       = { webhook = { min = 1 } }
    secret_versions = { app-secret = 2 }
  }

  assert {
    condition     = google_firestore_database.store.location_id == "eur3" && google_storage_bucket.media.location == "europe-west1"
    error_message = "Each place is a choice of its own."
  }
  assert {
    condition     = google_storage_bucket.media.lifecycle_rule[1].condition[0].age == 365
    error_message = "Files go after the chosen days."
  }
  assert {
    condition     = startswith(google_monitoring_alert_policy.alert["parked"].display_name, "Leadline staging: ")
    error_message = "An alert must say which environment it is about."
  }
  assert {
    condition = [for name in ["webhook", "chat"] : [
      google_cloudfunctions2_function.function[name].service_config[0].min_instance_count,
      google_cloudfunctions2_function.function[name].service_config[0].max_instance_count,
    ]] == [[1, 20], [0, 20]]
    error_message = "What is not said of the instances stays as it was."
  }
  assert {
    condition     = anytrue([for secret in google_cloudfunctions2_function.function["webhook"].service_config[0].secret_environment_variables : secret.version == "2"])
    error_message = "The chosen version of the secret must be the one that is read."
  }
}

run "mistakes_are_refused" {
  command = plan

  variables {
    project         = "Leadline"
    region          = "europe-west1-b"
    alert_email     = "admin"
    environment     = "Staging!"
    instances       = { webhok = { min = 3, max = 2 } }
    crm_origins     = ["crm.example.com"]
    media_days      = 0
    log_days        = 0
    secret_versions = { secret = 2 }
    archive         = "missing.zip"
  }

  expect_failures = [
    var.project,
    var.region,
    var.alert_email,
    var.environment,
    var.instances,
    var.crm_origins,
    var.media_days,
    var.log_days,
    var.secret_versions,
    var.archive,
  ]
}

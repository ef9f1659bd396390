# The four functions: one archive, one entry point each, a service account each.

locals {
  # timeout in seconds: the sender's ends before a send lease does (functions/core/outbox.py), the sync function's
  # before Cloud Tasks gives up waiting (600 s) and delivers the task once more. The sender's memory holds one
  # picture of the most pixels that it opens; files only pass through it.
  functions = {
    webhook = { public = true, memory = "512Mi", concurrency = 80, timeout = 30, description = "Answers Meta" }
    chat    = { public = true, memory = "512Mi", concurrency = 80, timeout = 60, description = "API for cards and CRM servers" }
    sender  = { public = false, memory = "1Gi", concurrency = 8, timeout = 170, description = "Talks to the Graph API" }
    sync    = { public = false, memory = "512Mi", concurrency = 10, timeout = 540, description = "Talks to the CRMs; sweeps" }
  }

  # Cloud Run's predictable addresses: the functions are told each other's, which they could not be if each were
  # only known once it was made.
  urls = {
    for name in keys(local.functions) :
    name => "https://leadline-${name}-${data.google_project.project.number}.${var.region}.run.app"
  }

  # docs/settings.md describes them. Secrets are added in secrets.tf, each for its readers.
  settings = {
    LEADLINE_STORE         = "firestore://${local.project}/${google_firestore_database.store.name}"
    LEADLINE_TASKS         = "cloud-tasks://${local.project}/${var.region}"
    LEADLINE_MEDIA         = "gs://${google_storage_bucket.media.name}"
    LEADLINE_PUBLIC_URL    = local.urls.chat
    LEADLINE_SENDER_URL    = local.urls.sender
    LEADLINE_SYNC_URL      = local.urls.sync
    LEADLINE_WEBHOOK_URL   = "${local.urls.webhook}/webhook"
    LEADLINE_TASKS_ACCOUNT = google_service_account.tasks.email
  }
}

# Source and build

resource "google_storage_bucket" "source" {
  project                     = local.project
  name                        = "${local.project}-leadline-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
}

resource "google_storage_bucket_object" "source" {
  bucket = google_storage_bucket.source.name
  name   = "functions-${filemd5(var.archive)}.zip" # another content is another name, and so another build
  source = var.archive
}

resource "google_service_account" "build" {
  project      = local.project
  account_id   = "leadline-build"
  display_name = "Leadline: builds the functions"
}

resource "google_project_iam_member" "build" {
  project = local.project
  role    = "roles/cloudbuild.builds.builder"
  member  = google_service_account.build.member
}

# The functions

resource "google_cloudfunctions2_function" "function" {
  for_each    = local.functions
  project     = local.project
  location    = var.region
  name        = "leadline-${each.key}"
  description = each.value.description

  build_config {
    runtime               = "python311" # the oldest that the code promises to run on
    entry_point           = each.key
    service_account       = google_service_account.build.id
    environment_variables = { GOOGLE_FUNCTION_SOURCE = "main.py" }

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.function[each.key].email
    ingress_settings                 = each.value.public ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
    available_cpu                    = "1"
    available_memory                 = each.value.memory
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = try(var.instances[each.key].min, 0)
    max_instance_count               = try(var.instances[each.key].max, 20)
    timeout_seconds                  = each.value.timeout

    # The framework would otherwise take them for synchronous functions.
    environment_variables = merge(local.settings, { FUNCTION_USE_ASGI = "1" })

    dynamic "secret_environment_variables" {
      for_each = { for name, secret in local.secrets : name => secret if contains(secret.readers, each.key) }
      iterator = secret

      content {
        key        = secret.value.setting
        project_id = local.project
        secret     = google_secret_manager_secret.secret[secret.key].secret_id
        version    = try(var.secret_versions[secret.key], 1)
      }
    }
  }

  depends_on = [
    google_project_iam_member.build,
    google_secret_manager_secret_iam_member.reader,
    google_secret_manager_secret_version.first,
  ]
}

# What they may do

resource "google_service_account" "function" {
  for_each     = local.functions
  project      = local.project
  account_id   = "leadline-${each.key}"
  display_name = "Leadline: the ${each.key} function"
}

resource "google_project_iam_member" "store" {
  for_each = local.functions
  project  = local.project
  role     = "roles/datastore.user"
  member   = google_service_account.function[each.key].member
}

resource "google_project_iam_member" "enqueue" {
  for_each = local.functions
  project  = local.project
  role     = "roles/cloudtasks.enqueuer"
  member   = google_service_account.function[each.key].member
}

# Who may call them: anyone the public two, which check signatures and grants themselves; the workers only as this account.

resource "google_service_account" "tasks" {
  project      = local.project
  account_id   = "leadline-tasks"
  display_name = "Leadline: calls the workers, for Cloud Tasks and Cloud Scheduler"
}

resource "google_service_account_iam_member" "tasks" {
  for_each           = local.functions
  service_account_id = google_service_account.tasks.name
  role               = "roles/iam.serviceAccountUser" # to queue a task that is delivered as that account
  member             = google_service_account.function[each.key].member
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = local.functions
  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = each.value.public ? "allUsers" : google_service_account.tasks.member
}

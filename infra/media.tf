# Files of messages. Browsers reach them by signed URLs only.

resource "google_storage_bucket" "media" {
  project                     = local.project
  name                        = "${local.project}-leadline-media"
  location                    = coalesce(var.media_location, var.region)
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  cors {
    origin          = var.crm_origins
    method          = ["GET", "HEAD", "PUT"]
    response_header = ["Content-Type", "Range", "x-goog-content-length-range", "x-goog-if-generation-match"]
    max_age_seconds = 3600
  }

  # What is deleted is gone: erasing a person must not leave a copy.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # What a browser uploaded and no message took (functions/core/media.py). The age is in days.
  lifecycle_rule {
    condition {
      age            = 1
      matches_prefix = ["_arriving/"]
    }
    action {
      type = "Delete"
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.media_days == null ? [] : [var.media_days]
    content {
      condition {
        age = lifecycle_rule.value
      }
      action {
        type = "Delete"
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# The sender stores what customers send (again, if a task comes twice) and reads what agents send; the chat function
# lets browsers put new files and get any, and copies what a message takes to a name of its own. The sync function
# deletes what is erased, or whose time is over.
resource "google_storage_bucket_iam_member" "media" {
  for_each = {
    sender-any = { function = "sender", role = "roles/storage.objectUser" }
    sync-any   = { function = "sync", role = "roles/storage.objectUser" }
    chat-put   = { function = "chat", role = "roles/storage.objectCreator" }
    chat-get   = { function = "chat", role = "roles/storage.objectViewer" }
  }
  bucket = google_storage_bucket.media.name
  role   = each.value.role
  member = google_service_account.function[each.value.function].member
}

# Signs those URLs: a function has no key of its own and asks Google to sign as its own account.
resource "google_service_account_iam_member" "sign" {
  service_account_id = google_service_account.function["chat"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.function["chat"].member
}

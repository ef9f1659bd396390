# One secret for each purpose, readable only by the functions that need it. They get it as a setting when they start.
#
# Terraform makes each secret's first version from a random text that it forgets at once: it stands neither in the plan
# nor in the state. The app's secret comes from Meta; until it is told, the random one refuses every webhook.

locals {
  secrets = {
    app-secret      = { setting = "WHATSAPP_APP_SECRET", readers = ["webhook"] }
    verify-token    = { setting = "WHATSAPP_VERIFY_TOKEN", readers = ["webhook"] }
    token-keys      = { setting = "LEADLINE_TOKEN_KEYS", readers = ["sender"] }
    connection-keys = { setting = "LEADLINE_CONNECTION_KEYS", readers = ["sync", "chat"] }
  }

  # 32 bytes in base64url, as a data key must be.
  first = {
    for name, random in ephemeral.random_password.first :
    name => replace(replace(base64sha256(random.result), "+", "-"), "/", "_")
  }
}

ephemeral "random_password" "first" {
  for_each = local.secrets
  length   = 64
}

resource "google_secret_manager_secret" "secret" {
  for_each  = local.secrets
  project   = local.project
  secret_id = "leadline-${each.key}"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  # Without its data keys the store's tokens and secrets can't be read by anyone.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_secret_manager_secret_version" "first" {
  for_each               = local.secrets
  secret                 = google_secret_manager_secret.secret[each.key].id
  secret_data_wo         = coalesce(each.key == "app-secret" ? var.app_secret : null, local.first[each.key])
  secret_data_wo_version = 1 # never changes: later versions are added by hand, see docs/deploy.md
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = merge([
    for name, secret in local.secrets : {
      for reader in secret.readers : "${name} ${reader}" => { secret = name, reader = reader }
    }
  ]...)
  project   = local.project
  secret_id = google_secret_manager_secret.secret[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.reader].member
}

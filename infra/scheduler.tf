# What happens by the clock.

# A process may die between its commit and its task: the sweep finds what waits without one.
resource "google_cloud_scheduler_job" "sweep" {
  project          = local.project
  region           = var.region
  name             = "leadline-sweep"
  description      = "Queues what waits in the store without a task"
  schedule         = "* * * * *"
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = local.urls.sync
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(jsonencode({ kind = "sweep" }))

    oidc_token {
      service_account_email = google_service_account.tasks.email
      audience              = local.urls.sync
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.caller]
}

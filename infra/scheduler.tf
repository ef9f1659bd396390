# What happens by the clock.

locals {
  jobs = {
    # A process may die between its commit and its task: the sweep finds what waits without one.
    sweep = { schedule = "* * * * *", description = "Queues what waits in the store without a task" }

    # The doctor's checks of each line, for its health in the CRM.
    health = { schedule = "*/15 * * * *", description = "Looks at each line as the doctor does" }
  }
}

moved {
  from = google_cloud_scheduler_job.sweep
  to   = google_cloud_scheduler_job.job["sweep"]
}

resource "google_cloud_scheduler_job" "job" {
  for_each         = local.jobs
  project          = local.project
  region           = var.region
  name             = "leadline-${each.key}"
  description      = each.value.description
  schedule         = each.value.schedule
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = local.urls.sync
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(jsonencode({ kind = each.key }))

    oidc_token {
      service_account_email = google_service_account.tasks.email
      audience              = local.urls.sync
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.caller]
}

# The queues that every deployment has. A line's `send-…` and `bulk-…` and a connection's `sync-…` are made along with them.

locals {
  # Dispatches per second, and how many at the same time: as on one machine (functions/core/queues.py), by test.
  queues = {
    sync-default = { rate = 500, concurrent = 1 }
    marks        = { rate = 40, concurrent = 10 }
    media        = { rate = 500, concurrent = 4 }
    history      = { rate = 500, concurrent = 1 }
    housekeeping = { rate = 500, concurrent = 1 }
  }
}

resource "google_cloud_tasks_queue" "queue" {
  for_each = local.queues
  project  = local.project
  location = var.region
  name     = each.key

  rate_limits {
    max_dispatches_per_second = each.value.rate
    max_concurrent_dispatches = each.value.concurrent
  }

  # For ever, with pauses of 1, 2, 4 … up to 300 s. What can never succeed is answered 200 and parked.
  retry_config {
    max_attempts  = -1
    min_backoff   = "1s"
    max_backoff   = "300s"
    max_doublings = 16
  }
}

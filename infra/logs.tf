# Logs: the functions' own lines, which hold ids only, in the region and for as many days as chosen. Cloud Run's log of
# requests is dropped: it would keep agents' addresses, and the verify token of Meta's handshake.

locals {
  our_logs     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^leadline-\""
  request_logs = "log_id(\"run.googleapis.com/requests\")"
}

resource "google_logging_project_bucket_config" "logs" {
  project        = local.project
  location       = var.region
  bucket_id      = "leadline"
  description    = "What Leadline's functions log"
  retention_days = var.log_days
}

resource "google_logging_project_sink" "logs" {
  project                = local.project
  name                   = "leadline"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.logs.id}"
  filter                 = "${local.our_logs} AND NOT ${local.request_logs}"
  unique_writer_identity = true
}

resource "google_logging_project_exclusion" "logs" {
  project     = local.project
  name        = "leadline"
  description = "Kept in the bucket of that name, except for the requests"
  filter      = local.our_logs
}

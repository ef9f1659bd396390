# Leadline in one Google Cloud project. What is where: functions.tf (code and who may call it), firestore.tf, queues.tf,
# media.tf, secrets.tf, scheduler.tf, logs.tf, alerts.tf. What to do with it: docs/deploy.md.

provider "google" {
  project = var.project
  region  = var.region

  # Some of Google's services ask a person's credentials whose quota they use.
  user_project_override = true
  billing_project       = var.project

  default_labels = {
    app         = "leadline"
    environment = var.environment
  }
}

resource "google_project_service" "service" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "clouderrorreporting.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtasks.googleapis.com",
    "firebaserules.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])
  project            = var.project
  service            = each.key
  disable_on_destroy = false # somebody else in the project may need it
}

data "google_project" "project" {
  project_id = var.project
}

locals {
  # By way of a service, so that whatever stands in the project waits until all of them are on.
  project = google_project_service.service["run.googleapis.com"].project
}

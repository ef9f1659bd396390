terraform {
  required_version = ">= 1.11" # the first with write-only arguments, see secrets.tf

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0" # the tests check every argument against 6.50
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }

  # Where the state lies is said once: terraform init -backend-config="bucket=…"
  backend "gcs" {
    prefix = "leadline"
  }
}

# Needed

variable "project" {
  description = "Id of the Google Cloud project. Each environment has a project of its own, since the queues' names are fixed."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project id has 6 to 30 small letters, digits and dashes, such as leadline-production."
  }
}

variable "region" {
  description = "Where everything runs and is stored, such as europe-west1. It can't be changed later."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region looks like europe-west1; a zone (europe-west1-b) or a multi-region (eu) is none."
  }
}

variable "alert_email" {
  description = "Who is told when something is wrong."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alert_email))
    error_message = "It must be an e-mail address."
  }
}

# Choices

variable "environment" {
  description = "Name of this environment, as it stands in the alerts and on the labels."
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "It may have up to 20 small letters, digits and dashes."
  }
}

variable "store_location" {
  description = "Where Firestore keeps the documents: a region, or a multi-region such as eur3 or nam5. Default: the region. It can't be changed later."
  type        = string
  default     = null
}

variable "media_location" {
  description = "Where the files of messages lie: a region, or a multi-region such as EU or US. Default: the region. It can't be changed later."
  type        = string
  default     = null
}

variable "instances" {
  description = "Fewest and most instances by function. A fewest of 1 spares the first request the start and costs the idle time; the most is the brake on what a flood may cost."
  type = map(object({
    min = optional(number, 0)
    max = optional(number, 20)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.instances) : contains(["webhook", "sender", "sync", "chat"], name)])
    error_message = "The functions are webhook, sender, sync and chat."
  }
  validation {
    condition     = alltrue([for each in values(var.instances) : each.min >= 0 && each.max >= 1 && each.min <= each.max])
    error_message = "min must be from 0 to max, and max at least 1."
  }
}

variable "crm_origins" {
  description = "Web origins from which agents' browsers may fetch and upload files, such as https://crm.example.com. Each file's URL is signed, so that any origin is no danger."
  type        = list(string)
  default     = ["*"]

  validation {
    condition     = alltrue([for origin in var.crm_origins : can(regex("^(\\*|https?://[^/]+)$", origin))])
    error_message = "An origin is a scheme and a host without a path, such as https://crm.example.com."
  }
}

variable "media_days" {
  description = "Days after which the bucket deletes any file, whatever the accounts say. Default: never; each account's own retention (`leadline retention`) deletes its files."
  type        = number
  default     = null

  validation {
    condition     = var.media_days == null ? true : var.media_days >= 1
    error_message = "It must be at least 1."
  }
}

variable "log_days" {
  description = "Days for which the functions' logs are kept. They hold ids only."
  type        = number
  default     = 30

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 3650
    error_message = "It must be from 1 to 3650."
  }
}

variable "app_secret" {
  description = "The Meta app's secret, for the first apply only; give it as TF_VAR_app_secret. It is kept neither in the plan nor in the state."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "secret_versions" {
  description = "Which version of a secret the functions read, by its name in secrets.tf; another number rolls out a new one."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.secret_versions) : contains(["app-secret", "verify-token", "token-keys", "connection-keys"], name)])
    error_message = "The secrets are app-secret, verify-token, token-keys and connection-keys."
  }
}

variable "archive" {
  description = "The functions' source, made with `leadline archive`."
  type        = string
  default     = "../build/functions.zip"

  validation {
    condition     = fileexists(var.archive)
    error_message = "There is no such file. Make it first, in the project's folder: make archive"
  }
}

variable "deletion_protection" {
  description = "Whether Google refuses to delete documents and files. To delete an environment it takes more than this: see docs/deploy.md."
  type        = bool
  default     = true
}

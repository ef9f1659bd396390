output "meta" {
  description = "For Meta's console: App → WhatsApp → Configuration → Webhook."
  value = {
    callback_url   = "${local.urls.webhook}/webhook"
    verify_token   = "gcloud secrets versions access ${try(var.secret_versions["verify-token"], 1)} --secret=leadline-verify-token --project=${var.project}"
    webhook_fields = ["messages"]
  }
}

output "crm" {
  description = "For the CRM: the service's address."
  value       = local.urls.chat
}

output "settings" {
  description = "What the command line must know of this environment, as settings."
  value       = local.settings
}

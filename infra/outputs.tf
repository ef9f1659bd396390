output "meta" {
  description = "For Meta's console: App → WhatsApp → Configuration → Webhook."
  value = {
    callback_url = "${local.urls.webhook}/webhook"
    verify_token = "gcloud secrets versions access ${try(var.secret_versions["verify-token"], 1)} --secret=leadline-verify-token --project=${var.project}"
    webhook_fields = [
      "messages",
      "account_alerts",
      "account_review_update",
      "account_update",
      "business_capability_update",
      "message_template_components_update",
      "message_template_quality_update",
      "message_template_status_update",
      "phone_number_name_update",
      "phone_number_quality_update",
      "security",
      "template_category_update",
      "user_preferences",
    ]
  }
}

output "crm" {
  description = "For the CRM: the service's address."
  value       = local.urls.chat
}

output "settings" {
  description = "What the command line must know of this environment, as settings. Secrets are named, not shown: it reads them with the admin's own rights."
  value = merge(local.settings, {
    for name, secret in local.secrets :
    secret.setting => "projects/${var.project}/secrets/${google_secret_manager_secret.secret[name].secret_id}/versions/${try(var.secret_versions[name], 1)}"
  })
}

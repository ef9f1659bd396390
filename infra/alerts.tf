# What wakes somebody up. Log metrics count the functions' own messages, whose texts are constant.

locals {
  logged = {
    bad-signatures = {
      about    = "Webhooks that were not signed with the app's secret"
      messages = ["webhook refused"]
    }
    parked = {
      about    = "What could not be handled and was put aside"
      messages = ["update parked", "webhook quarantined", "task given up", "the CRM refused an event"]
    }
    line-held = {
      about    = "Lines that may not send"
      messages = ["the line can't send"]
    }
    line-unwell = {
      about    = "Lines of which a checkup found something that stops them"
      messages = ["a line is unwell"]
    }
    crm-unreachable = {
      about    = "Deliveries that a CRM did not take"
      messages = ["the CRM can't be reached"]
    }
  }

  # A log metric's name in a query.
  metric = {
    for name in keys(local.logged) :
    name => "logging_googleapis_com:user_leadline_${replace(name, "-", "_")}{monitored_resource=\"cloud_run_revision\"}"
  }

  alerts = {
    bad-signatures = {
      title = "webhooks with a wrong signature"
      query = "sum(increase(${local.metric.bad-signatures}[5m])) > 10"
      what  = "More than 10 in 5 minutes were refused. If customers' messages still arrive, somebody is knocking. If none arrive, the app's secret was changed in Meta's console: add it to `leadline-app-secret` and roll it out. Meta delivers again for 7 days, so nothing is lost."
    }
    errors = {
      title = "a function answers with errors"
      query = "sum by (service_name) (increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=~\"leadline-.*\",response_code_class=\"5xx\"}[5m])) > 5"
      what  = "More than 5 answers of 500 and above in 5 minutes. The function's log says why, in `exception` and `where`. Meta and the queues ask again, so nothing is lost."
    }
    queue-late = {
      title = "tasks are late"
      query = "histogram_quantile(0.95, sum by (queue_id, le) (increase(cloudtasks_googleapis_com:queue_task_attempt_delays_bucket{monitored_resource=\"cloud_tasks_queue\",queue_id!~\"bulk-.*\"}[10m]))) > 300000"
      what  = "One task in 20 ran over 5 minutes after its time. A `send-…` queue: more is sent than the line may. A `sync-…` queue: the CRM is slow. Otherwise look at the worker's log."
    }
    queue-deep = {
      title = "tasks pile up"
      query = "max by (queue_id) (cloudtasks_googleapis_com:queue_depth{monitored_resource=\"cloud_tasks_queue\",queue_id!~\"bulk-.*\"}) > 1000"
      for   = "600s"
      what  = "Over 1,000 tasks have waited for 10 minutes. Is the queue paused, or does its worker answer with errors?"
    }
    clock = {
      title = "the clock stands still"
      query = "(sum(increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=\"leadline-sync\"}[15m])) or vector(0)) < 1"
      for   = "300s"
      what  = "The sweep should call the sync function every minute, and nobody has called it for 15. Is the job `leadline-sweep` paused in Cloud Scheduler, and may its account call the function? Until then what has lost its task waits, templates grow old, and files outlive their time."
    }
    parked = {
      title = "something was put aside"
      query = "sum(increase(${local.metric.parked}[10m])) > 0"
      what  = "An update of Meta's, a task or an event for a CRM could not be handled. The log line has the reason. All of it is kept for 8 days: `leadline replay list` shows it, and `leadline replay run` tries it again once the cause is mended."
    }
    line-held = {
      title = "a line can't send"
      query = "sum(increase(${local.metric.line-held}[10m])) > 0"
      what  = "WhatsApp refuses everything that this line sends: its token, payment, registration or account. The log line names the line and Meta's code; the chat tab shows the reason. Messages wait and go out by themselves once it is mended; what customers write arrives all the same."
    }
    line-unwell = {
      title = "a line needs an admin"
      query = "sum(increase(${local.metric.line-unwell}[20m])) > 0"
      what  = "The checkup that runs every 15 minutes found something that stops a line or soon will: its token, permissions, callback, subscription or number. The log line names the line and the check; `leadline doctor` says what was found and how to mend it, and so does the line's form in the CRM."
    }
    crm-unreachable = {
      title = "a CRM can't be reached"
      query = "sum by (connection) (increase(${local.metric.crm-unreachable}[15m])) > 10"
      what  = "For over 5 minutes it was down, slow, or refused our key; the log line has the reason. Events wait for 8 days and are delivered in their order."
    }
  }
}

resource "google_logging_metric" "logged" {
  for_each    = local.logged
  project     = local.project
  name        = "leadline_${replace(each.key, "-", "_")}"
  description = each.value.about
  filter = join(" AND ", [
    local.our_logs,
    "jsonPayload.message=(${join(" OR ", [for message in each.value.messages : jsonencode(message)])})",
  ])
  label_extractors = {
    connection = "EXTRACT(jsonPayload.connection)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "connection"
      description = "The CRM connection that it is about, if any"
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  project      = local.project
  display_name = "Leadline ${var.environment}"
  type         = "email"
  labels       = { email_address = var.alert_email }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each              = local.alerts
  project               = local.project
  display_name          = "Leadline ${var.environment}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = try(each.value.for, "0s")
      evaluation_interval = "60s"
      # A metric is only known some minutes after it was made, and some only after the first task or error.
      disable_metric_validation = true
    }
  }

  documentation {
    content   = each.value.what
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.logged]
}

# The store: one database, no browser may come near it, and no index that nobody asks.

locals {
  # Every query of the code, as functions/core/indexes.py declares them; a test holds the two together.
  indexes = [
    { collection = "messages", equal = ["conversation"], order = "sort", descending = true },
    { collection = "messages", equal = ["conversation"], order = "changed" },
    { collection = "messages", equal = ["conversation", "waiting"], order = "queued" },
    { collection = "messages", equal = ["line", "wamid_key"], order = "sort" },
    { collection = "messages", equal = ["waiting"], order = "conversation" },
    { collection = "messages", equal = ["waiting"], order = "queued" },
    { collection = "messages", equal = ["media.state"], order = "changed" },
    { collection = "conversations", equal = ["connection"], order = "updated", descending = true },
    { collection = "conversations", equal = ["line"], order = "updated", descending = true },
    { collection = "conversations", equal = ["contact"], order = "updated" },
    { collection = "conversations", equal = ["carrying"], order = "carry_until" },
    { collection = "contacts", equal = ["carrying"], order = "carry_until" },
    { collection = "erasures", equal = ["begun"], order = "since" },
    { collection = "events", equal = ["connection", "pending"], order = "seq" },
    { collection = "events", equal = ["connection"], order = "seq" },
    { collection = "events", equal = ["pending"], order = "connection" },
    { collection = "orphan_statuses", equal = ["wamid_key"], order = "at" },
    { collection = "orphan_statuses", equal = ["contact"], order = "at" },
    { collection = "messages", equal = ["contact"], order = "expires_at" },
    { collection = "orphan_statuses", equal = ["stranger"], order = "expires_at" },
    { collection = "messages", equal = ["stranger"], order = "expires_at" },
    { collection = "aliases", equal = ["contact"], order = "created" },
    { collection = "uploads", equal = ["conversation"], order = "created" },
    { collection = "group_messages", equal = ["account"], order = "changed" },
    { collection = "imports", equal = ["account", "pending"], order = "updated" },
    { collection = "imports", equal = ["pending"], order = "updated" },
    { collection = "messages", equal = ["media.state"], order = "media.expires" },
    { collection = "audit", equal = ["account"], order = "updated" },
    { collection = "templates", equal = ["waba"], order = "place" },
    { collection = "templates", equal = ["waba", "status"], order = "place" },
    { collection = "connections", equal = ["kind"], order = "account" },
    { collection = "wabas", equal = ["polled"], order = "templates_due" },
    { collection = "accounts", equal = ["listed"], order = "name" },
    { collection = "parked", equal = ["part"], order = "updated" },
    { collection = "counts", equal = ["account"], order = "day", descending = true },
    { collection = "reviews", equal = ["account"], order = "at", descending = true },
    { collection = "lines", equal = ["connection"], order = "phone_number_id" },
    { collection = "lines", equal = ["account"], order = "phone_number_id" },
    { collection = "links", equal = ["connection"], order = "created", descending = true },
    { collection = "clicks", equal = ["link"], order = "day", descending = true },
  ]

  # Documents here go away some time after their `expires_at`.
  expiring = [
    "audit",
    "erasures",
    "events",
    "group_messages",
    "imports",
    "messages",
    "nonces",
    "orphan_statuses",
    "pairings",
    "parked",
    "uploads",
  ]

  collections = [
    "accounts",
    "aliases",
    "audit",
    "clicks",
    "connections",
    "contacts",
    "conversations",
    "counts",
    "deliveries",
    "erasures",
    "events",
    "group_messages",
    "holds",
    "imports",
    "line_facts",
    "lines",
    "links",
    "messages",
    "nonces",
    "numbers",
    "orphan_statuses",
    "outboxes",
    "pairings",
    "parked",
    "references",
    "reviews",
    "slugs",
    "template_facts",
    "templates",
    "uploads",
    "wabas",
  ]
}

resource "google_firestore_database" "store" {
  project                           = local.project
  name                              = "leadline"
  location_id                       = coalesce(var.store_location, var.region)
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = "DELETE"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_firestore_index" "query" {
  for_each = {
    for index in local.indexes :
    join(" ", [index.collection, join("+", index.equal), index.order]) => index
  }
  project    = local.project
  database   = google_firestore_database.store.name
  collection = each.value.collection

  dynamic "fields" {
    for_each = each.value.equal
    content {
      field_path = fields.value
      order      = "ASCENDING"
    }
  }

  fields {
    field_path = each.value.order
    order      = try(each.value.descending, false) ? "DESCENDING" : "ASCENDING"
  }
}

# Every query is served by an index of its own above. Firestore's automatic ones, two for each field of each document,
# would only make writes dear and slow.
resource "google_firestore_field" "unindexed" {
  for_each   = toset(local.collections)
  project    = local.project
  database   = google_firestore_database.store.name
  collection = each.key
  field      = "*"

  index_config {}
}

resource "google_firestore_field" "expiry" {
  for_each   = toset(local.expiring)
  project    = local.project
  database   = google_firestore_database.store.name
  collection = each.key
  field      = "expires_at"

  index_config {}
  ttl_config {}
}

# Browsers and apps are refused; the functions' service accounts are not subject to rules.

resource "google_firebaserules_ruleset" "deny" {
  project = local.project

  source {
    files {
      name    = "firestore.rules"
      content = file("${path.module}/firestore.rules")
    }
  }
}

resource "google_firebaserules_release" "deny" {
  project      = local.project
  name         = "cloud.firestore/${google_firestore_database.store.name}"
  ruleset_name = "projects/${local.project}/rulesets/${google_firebaserules_ruleset.deny.name}"

  lifecycle {
    replace_triggered_by = [google_firebaserules_ruleset.deny]
  }
}

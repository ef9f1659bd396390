"""The API for cards and CRM servers: read a conversation, send, upload, note, mark as read."""

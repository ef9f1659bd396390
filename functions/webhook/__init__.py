"""Answers Meta: verify, store, enqueue, 200."""

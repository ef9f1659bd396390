"""The pictures of the docs, taken from the running whole: `python -m tests.screenshots`."""

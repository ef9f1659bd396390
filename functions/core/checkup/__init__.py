"""Checks that the doctor and the schedule share: what is right, what is not, and how to mend it."""

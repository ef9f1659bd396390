"""`leadline doctor`: looks at everything that Leadline stands on, and says what is wrong and how to mend it."""

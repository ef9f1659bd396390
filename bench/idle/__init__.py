"""The webhook with a store and a queue that do nothing: what is left is its own work and the framework's."""

"""What the webhook is measured against.

All but `home` run in the peers' own environments, and import nothing of ours but `bench.peers` and `bench.stopwatch`.
"""

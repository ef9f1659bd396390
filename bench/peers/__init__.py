"""What the webhook is measured against. These modules run in the peers' own environments: they import nothing of ours
but `bench.peers` and `bench.stopwatch`.
"""

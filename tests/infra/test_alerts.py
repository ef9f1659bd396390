from tests.infra import source
from tests.infra.module import Module


def test_the_alerts_count_messages_that_the_functions_log(module: Module) -> None:
    logged = source.logged("warning", "error", "exception")
    for name, counted in module.locals["logged"].items():
        assert set(counted["messages"]) <= logged, name


def test_each_alert_says_what_to_do(module: Module) -> None:
    assert all(len(alert["what"]) > 80 for alert in module.locals["alerts"].values())


def test_each_counted_message_wakes_somebody_up(module: Module) -> None:
    queries = "".join(alert["query"] for alert in module.locals["alerts"].values())
    assert all(f"local.metric.{name}" in queries for name in module.locals["logged"])

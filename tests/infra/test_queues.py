from functions.core.queues import DOUBLINGS, FIRST_PAUSE, LIMITS, LONGEST_PAUSE, Limits, limits_of, pause_after
from tests.infra.module import Module


def test_every_queue_is_as_fast_as_on_one_machine(module: Module) -> None:
    for name, queue in module.locals["queues"].items():
        assert Limits(queue["rate"], queue["concurrent"]) == limits_of(name), name


def test_every_deployment_has_the_queues_that_belong_to_no_line(module: Module) -> None:
    shared = {name for name in LIMITS if not name.endswith("-")}
    assert set(module.locals["queues"]) == {*shared, "sync-default"}


def test_a_task_is_tried_for_ever_with_the_same_pauses(module: Module) -> None:
    [retry] = module.resource("google_cloud_tasks_queue", "queue")["retry_config"]
    assert retry["max_attempts"] == -1
    assert (retry["min_backoff"], retry["max_backoff"]) == (f"{FIRST_PAUSE:g}s", f"{LONGEST_PAUSE:g}s")
    # Beyond these many, pauses would grow by adding.
    assert retry["max_doublings"] == DOUBLINGS
    assert pause_after(DOUBLINGS) == LONGEST_PAUSE

"""The edge of one item among many: a fault in it costs no other."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2.errors

from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

BUSY = (psycopg2.errors.SerializationFailure, psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected)


@dataclass
class Outcome:
    """How an item fared. `busy`: somebody else was at it, and it is to be tried again. `failed`: it has a fault."""

    busy: bool = False
    failed: bool = False


@contextmanager
def apart(env, what: str) -> Iterator[Outcome]:
    """Do something in a savepoint of its own; a fault in it is logged and goes no further.

    :param what: names the item by ids alone, such as `Session 7`
    """
    outcome = Outcome()
    try:
        with env.cr.savepoint():
            yield outcome
    except BUSY:
        outcome.busy = True
        env.invalidate_all(flush=False)
    except UserError as refusal:
        # Somebody can mend it, such as a company without an e-mail address.
        outcome.failed = True
        _logger.warning("%s was refused (%s).", what, type(refusal).__name__)
        env.invalidate_all(flush=False)
    except Exception as error:
        outcome.failed = True
        log_fault(what, error)
        env.invalidate_all(flush=False)


def log_fault(what: str, error: Exception) -> None:
    """Log where something went wrong. Not the error's words or values, since they may tell of a customer."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _logger.error("%s met a %s:\n%s", what, type(error).__name__, frames)

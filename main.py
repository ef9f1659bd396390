"""What the Functions Framework starts, in the cloud and in the tests: the function that FUNCTION_TARGET names.

Only that one is imported, so that no function pays for another's start.
"""

import gc
import importlib
from typing import Any

from functions.core.settings import BadSetting

_FUNCTIONS = ("webhook", "sender", "sync", "chat")


def __getattr__(name: str) -> Any:
    if name not in _FUNCTIONS:
        raise AttributeError(f"there is no function {name}; known are {', '.join(_FUNCTIONS)}")
    # An import leaves next to no garbage, and looking for it takes a seventh of a cold start. What was imported stays:
    # once frozen, later collections, which stop every request, need not look at it again.
    gc.disable()
    try:
        return getattr(importlib.import_module(f"functions.{name}.entry"), name)
    except BadSetting as error:
        raise SystemExit(f"Leadline's {name} can't start. {error}") from None
    finally:
        gc.freeze()
        gc.enable()

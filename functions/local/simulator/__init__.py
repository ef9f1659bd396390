"""WhatsApp, simulated: what Meta and the customers' phones do, for one machine and for tests."""

from functions.local.simulator.customers import Line
from functions.local.simulator.simulator import Simulator

create = Simulator

__all__ = ["Line", "Simulator", "create"]

"""What the Functions Framework starts for the load: `functions.webhook.entry`, with idle ports."""

import gc
import os

from bench.idle.ports import idle_ports
from functions.core import logs
from functions.webhook.app import create

logs.set_up()
webhook = create(idle_ports(os.environ))
gc.freeze()  # As the deployed functions do: see main.py.

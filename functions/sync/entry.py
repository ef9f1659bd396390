"""The entry point of the deployed function."""

from functions.core import logs, settings
from functions.core.ports import google_ports
from functions.sync.app import create

logs.set_up()
sync = create(google_ports(settings.from_environment()))

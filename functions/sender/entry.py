"""The entry point of the deployed function."""

from functions.core import logs, settings
from functions.core.ports import google_ports
from functions.sender.app import create

logs.set_up()
sender = create(google_ports(settings.from_environment()))

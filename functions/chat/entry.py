"""The entry point of the deployed function."""

from functions.chat.app import create
from functions.core import logs, settings
from functions.core.ports import google_ports

logs.set_up()
chat = create(google_ports(settings.from_environment()))

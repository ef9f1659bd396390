"""A function that is wired wrongly does not start, and one sentence says why."""

import pytest
from cryptography.fernet import Fernet

from functions.chat.app import create as create_chat
from functions.core.ports import Ports, google_ports
from functions.core.settings import BadSetting, from_environment
from functions.sender.app import create as create_sender
from functions.sync.app import create as create_sync

CLOUD = {
    "LEADLINE_STORE": "firestore://project/database",
    "LEADLINE_TASKS": "cloud-tasks://project/europe-west3",
    "LEADLINE_MEDIA": "gs://bucket",
}


@pytest.mark.parametrize(
    ("create", "name"),
    [
        (create_sender, "LEADLINE_TOKEN_KEYS"),
        (create_sync, "LEADLINE_CONNECTION_KEYS"),
        (create_chat, "LEADLINE_CONNECTION_KEYS"),
    ],
)
def test_a_function_without_its_keys_does_not_start(create, name):
    keys = {key: Fernet.generate_key().decode() for key in ("LEADLINE_TOKEN_KEYS", "LEADLINE_CONNECTION_KEYS")}
    settings = from_environment(keys | {name: ""})
    with pytest.raises(BadSetting, match=rf"^{name} is missing: [^\n]+\.$"):
        create(Ports(settings, store=None, tasks=None, media=None))


@pytest.mark.parametrize("name", CLOUD)
def test_a_function_in_the_cloud_does_not_start_on_one_machines_parts(name):
    with pytest.raises(BadSetting, match=rf"^{name} is wrong: [^\n]+\.$"):
        google_ports(from_environment(CLOUD | {name: ""}))

import re

import pytest
from cryptography.fernet import Fernet

from functions.core.settings import BadSetting, from_environment

WRONG = {
    "PORT": ["0", "65536", "http", "-1", "8080.5", "８０８０"],
    "LEADLINE_STORE": ["sqlite://", "sqlite:///", "postgres://x", "firestore://project", "firestore:///database"],
    "LEADLINE_TASKS": ["redis", "cloud-tasks://project", "localhost"],
    "LEADLINE_MEDIA": ["file://", "s3://bucket", "gs://", "gs://bucket/folder"],
    "LEADLINE_PUBLIC_URL": ["chat.example.com", "ftp://x", "https://", "https://x?a=1", "https://x#a", "https://[::1"],
    "LEADLINE_SENDER_URL": ["sender"],
    "LEADLINE_SYNC_URL": ["sync"],
    "LEADLINE_TOKEN_KEYS": ["short", Fernet.generate_key().decode()[:-4], "é" * 44],
    "LEADLINE_CONNECTION_KEYS": [f"{Fernet.generate_key().decode()},short"],
    "WHATSAPP_GRAPH_URL": ["graph.facebook.com"],
    "WHATSAPP_GRAPH_VERSION": ["26.0", "v26", "latest"],
    "LEADLINE_ALLOW_PRIVATE_CRM": ["yes", "true", "2"],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_wrong_value_is_one_sentence_that_names_it(name, value):
    with pytest.raises(BadSetting) as wrong:
        from_environment({name: value})
    sentence = str(wrong.value)
    assert sentence.startswith(f"{name} is wrong: ")
    assert re.fullmatch(r"[^\n]{20,200}\.", sentence)


@pytest.mark.parametrize("name", ["LEADLINE_TOKEN_KEYS", "LEADLINE_CONNECTION_KEYS"])
def test_a_wrong_key_is_not_repeated(name):
    with pytest.raises(BadSetting) as wrong:
        from_environment({name: "secretsecret"})
    assert "secretsecret" not in str(wrong.value)


def test_an_empty_environment_is_one_machine_that_trusts_nobody():
    settings = from_environment({})
    assert (settings.store, settings.tasks, settings.media) == (
        "sqlite:///.leadline/store.db",
        "local",
        "file:///.leadline/media",
    )
    assert (settings.app_secrets, settings.verify_token, settings.allow_private_crm) == ((), "", False)
    assert (settings.token_keys, settings.connection_keys) == (None, None)
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.graph_url == "https://graph.facebook.com"


def test_an_empty_value_is_as_good_as_none():
    assert from_environment({"PORT": " ", "WHATSAPP_GRAPH_VERSION": ""}) == from_environment({})


def test_the_workers_addresses_follow_the_public_one():
    settings = from_environment({"LEADLINE_PUBLIC_URL": "https://chat.example.com/", "PORT": "9000"})
    assert settings.public_url == "https://chat.example.com"
    assert (settings.sender_url, settings.sync_url) == (
        "https://chat.example.com/sender",
        "https://chat.example.com/sync",
    )


def test_two_app_secrets_stand_beside_each_other():
    assert from_environment({"WHATSAPP_APP_SECRET": "new, old,"}).app_secrets == ("new", "old")

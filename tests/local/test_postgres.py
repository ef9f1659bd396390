"""PostgreSQL from the Python environment: real servers on fresh folders."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.local.failure import SetUpFailed
from functions.local.postgres import Postgres, PostgresError


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as postgres:
        yield postgres


def test_it_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    with Postgres(tmp_path / "data") as postgres:
        postgres.sql("CREATE TABLE kept AS SELECT 7 AS number")
    with Postgres(tmp_path / "data") as postgres:
        assert postgres.sql("SELECT number FROM kept") == ["7"]


def test_a_data_folder_left_half_made_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "data.unfinished"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    with Postgres(tmp_path / "data") as postgres:
        assert postgres.sql("SELECT 1") == ["1"]
    assert not half.exists()


def test_upper_and_lower_case_are_known_of_all_letters(postgres: Postgres) -> None:
    assert postgres.sql("SELECT lower('ÀÉÑŁ'), 'ÉMILIE' ILIKE 'émilie'") == ["àéñł|t"]


def test_it_is_reached_over_its_socket_only(postgres: Postgres) -> None:
    assert postgres.sql("SHOW listen_addresses") == [""]


def test_a_folder_too_deep_for_a_socket_serves_all_the_same(tmp_path: Path) -> None:
    with Postgres(tmp_path.joinpath(*["deeper"] * 15, "data")) as postgres:
        assert postgres.sql("SELECT 1") == ["1"]
        host = Path(postgres.host)
    assert not host.exists()


def test_a_second_server_on_the_same_data_is_refused(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.local.postgres._GONE_WITHIN", 0.1)
    with pytest.raises(SetUpFailed, match=r"Another Leadline is running on .*Stop that one first"):
        Postgres(postgres.data).start()
    assert postgres.sql("SELECT 1") == ["1"]


def test_settings_of_another_postgresql_are_not_heard(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere.example")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere")
    assert postgres.sql("SHOW search_path") == ['"$user", public']


def test_a_start_that_fails_says_why_and_where_to_read_on(tmp_path: Path) -> None:
    with Postgres(tmp_path / "data") as postgres:
        configuration = postgres.data / "postgresql.conf"
    configuration.write_text("no_such_setting = 1\n")
    with pytest.raises(SetUpFailed, match=r"^Starting PostgreSQL failed \(.*\)\. Its log is .*data\.log\.$"):
        postgres.start()


def test_data_of_a_version_that_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(SetUpFailed, match="was made by PostgreSQL 9"):
        Postgres(tmp_path / "data").start()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "a_file").touch()
    with pytest.raises(SetUpFailed, match="a_file"):
        Postgres(tmp_path / "a_file" / "data").start()


def test_databases_are_copied_renamed_and_dropped(postgres: Postgres) -> None:
    postgres.sql("CREATE DATABASE first")
    postgres.sql("CREATE TABLE kept AS SELECT 7 AS number", "first")
    postgres.copy_database("first", "second")
    postgres.rename_database("second", "third")
    assert postgres.sql("SELECT number FROM kept", "third") == ["7"]
    postgres.drop_database("third")
    postgres.drop_database("third")
    assert [name for name in ("first", "second", "third") if postgres.has_database(name)] == ["first"]


def test_a_refused_statement_gives_postgresqls_reason(postgres: Postgres) -> None:
    with pytest.raises(PostgresError, match='relation "nothing" does not exist'):
        postgres.sql("SELECT * FROM nothing")


def test_what_was_stored_is_never_logged(postgres: Postgres) -> None:
    postgres.sql("CREATE TABLE people (phone text UNIQUE)")
    for _ in range(2):
        with contextlib.suppress(PostgresError):
            postgres.sql("INSERT INTO people VALUES ('+15550100')")
    log = postgres.log.read_text()
    assert "duplicate key" in log
    assert "+15550100" not in log


@pytest.mark.parametrize("name", ["", "1st", 'a"; DROP DATABASE b; --', "a" * 64])
def test_a_name_that_would_need_quoting_is_refused(postgres: Postgres, name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a database"):
        postgres.drop_database(name)


def test_nobody_but_the_owner_may_enter_the_sockets_folder(postgres: Postgres) -> None:
    assert Path(postgres.host).stat().st_mode & 0o777 == 0o700

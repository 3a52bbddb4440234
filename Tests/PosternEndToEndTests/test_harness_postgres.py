"""The harness's own PostgreSQL: databases of a test's own, and a crash that keeps what was acknowledged."""
import pytest

from harness.postgres import PostgresServer
from harness.stores import PostgresDatabase, SQLiteFile


def test_databases_are_separate(postgres):
    first, second = PostgresDatabase(postgres), PostgresDatabase(postgres)
    postgres.query(first.name, "CREATE TABLE a (b int PRIMARY KEY); INSERT INTO a VALUES (7)")
    assert postgres.query(second.name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == ["0"]
    first.check()
    assert b"CREATE TABLE public.a" in first.contents()


def test_a_wrong_statement_is_an_error(postgres):
    with pytest.raises(AssertionError, match="nowhere"):
        postgres.query("postgres", "SELECT * FROM nowhere")


def test_a_crash_keeps_what_was_acknowledged():
    with PostgresServer(durable=True) as server:
        store = PostgresDatabase(server)
        server.query(store.name, "CREATE TABLE a (b int PRIMARY KEY); INSERT INTO a VALUES (7)")
        assert server.query(store.name, "SHOW fsync") == ["on"]
        server.kill()
        server.start()
        assert "was not properly shut down" in server.said()
        assert server.query(store.name, "SELECT b FROM a") == ["7"]
        store.check()


def test_a_file_that_is_not_whole_is_found(tmp_path):
    store = SQLiteFile(tmp_path)
    store.path.write_bytes(b"SQLite format 3\0" + bytes(4080))
    with pytest.raises(Exception):
        store.check()

"""The harness's own PostgreSQL: databases of a test's own. test_issuer_kills.py has a crash of it."""
import pytest

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


def test_a_file_that_is_not_whole_is_found(tmp_path):
    store = SQLiteFile(tmp_path)
    store.path.write_bytes(b"SQLite format 3\0" + bytes(4080))
    with pytest.raises(Exception):
        store.check()

"""The two kinds of store that the issuer has, alike for the tests: a URL, a look whether it is whole, its raw contents."""
from __future__ import annotations

import sqlite3


class SQLiteFile:
    """An SQLite file of a test's own."""

    kind = "sqlite"

    def __init__(self, folder):
        self.path = folder / "issuer.sqlite"
        self.url = "sqlite:%s" % self.path

    def check(self):
        """Fails unless the file is whole."""
        with sqlite3.connect("file:%s?mode=ro" % self.path, uri=True) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        database.close()

    def contents(self):
        """Every byte that it has on the disk: the file, its log, its index."""
        return b"".join(each.read_bytes() for each in sorted(self.path.parent.glob(self.path.name + "*"))
                        if not each.name.endswith(".key"))


class PostgresDatabase:
    """A database of a test's own on a server that others use as well."""

    kind = "postgres"

    def __init__(self, server):
        self.server = server
        self.name = server.database()
        self.url = server.url(self.name)

    def check(self):
        """Fails unless every table can be read and every index agrees with it."""
        self.server.query(self.name, "CREATE EXTENSION IF NOT EXISTS amcheck")
        self.server.query(self.name, """
            SELECT bt_index_check(c.oid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE a.amname = 'btree' AND n.nspname = 'public' AND i.indisvalid""")
        assert self.server.dump(self.name)

    def contents(self):
        """Everything that it holds, as SQL."""
        return self.server.dump(self.name)

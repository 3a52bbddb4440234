// The one call of SQLite that Swift cannot make, because it takes any number of arguments. Everything else goes by GRDB's
// own module.
#pragma once
#include <sqlite3.h>

// SQLite counts the memory that it uses, behind a lock at each allocation. Nobody reads the figures. Takes effect before
// SQLite is first used in the process; later it is refused, and nothing else happens.
static inline int postern_sqlite_count_no_memory(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

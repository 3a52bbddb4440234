/// Brings a database's schema up to date.
enum SQLMigrator {
    /// Takes the steps that have not been taken, all or none. Of two processes that start at the same moment one does it,
    /// and the other one waits.
    ///
    /// Throws `StoreError`, `.newer` if there is a step that this version does not know.
    static func migrate(_ database: any SQLDatabase, to steps: [SQLSchema.Step] = SQLSchema.steps) async throws {
        let dialect = database.dialect
        try await database.migrate { connection in
            let taken = try Self.taken(connection, dialect)
            guard taken.isSubset(of: steps.map(\.name)) else {
                throw StoreError(kind: .newer, reason: "it has a step that this version does not know")
            }
            for step in steps where !taken.contains(step.name) {
                try connection.script(step.script(dialect))
                try connection.execute(
                    "INSERT INTO \(dialect.stepTable) (identifier) VALUES (?)", [.text(step.name)])
            }
        }
    }

    /// The table is made only where it is missing: a store that is up to date may be opened without the right to make
    /// tables.
    private static func taken(_ connection: any SQLConnection, _ dialect: SQLDialect) throws -> Set<String> {
        guard try connection.first(dialect.findTable, [.text(dialect.stepTable)]) != nil else {
            try connection.script(
                "CREATE TABLE \(dialect.stepTable) (identifier TEXT NOT NULL PRIMARY KEY)")
            return []
        }
        let rows = try connection.rows("SELECT identifier FROM \(dialect.stepTable)", [])
        return Set(
            try rows.map { row in
                var cells = SQLCells(row)
                return try cells.text()
            })
    }
}

/// The audit log (JSON lines, and a table).
final class AuditLog: Sendable {
    private let store: any IssuerStore
    private let output: @Sendable (String) -> Void

    init(store: any IssuerStore, output: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.output = output
    }

    /// Something was given or refused: writes the line and hands the entry to whoever fills the table. Never waits.
    func record(_ entry: AuditEntry) {}

    /// Something was changed, and the table has it already, from the same transaction: writes the line.
    func changed(_ entry: AuditEntry) {}
}

/// Where the audit log goes, and how long its table remembers.
public struct AuditConfiguration: Equatable, Sendable {
    /// A file that the lines are appended to; nil: standard output.
    public var path: String?
    /// After how many seconds an entry leaves the table; nil: never.
    public var retention: Int? = 90 * 86400

    public init() {}
}

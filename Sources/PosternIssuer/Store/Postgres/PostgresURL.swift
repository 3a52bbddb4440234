import PosternCore

/// Where a PostgreSQL database is: `postgres://user:password@host:port/database?sslmode=…`, as libpq reads it
/// (PostgreSQL's manual, section 34.1.1.2), also with several hosts.
///
/// Neither its description nor a problem with it repeats anything of what may be a password.
public struct PostgresURL: Equatable, Sendable, CustomStringConvertible {
    /// Why a text is no such URL; begins in lower case, without a full stop.
    struct Problem: Error, Equatable {
        var message: String
    }

    /// Host, port and database.
    public let description: String
    /// As it was written.
    private let text: Secret
    /// A password that was given besides.
    let password: Secret?

    private static let modes: Set = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
    private static let hint = "; a password stands as it is in POSTERN_ISSUER_STORE_PASSWORD"

    init(_ text: String, password: String? = nil) throws(Problem) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem(message: "spaces, control and non-ASCII characters are percent-encoded\(Self.hint)")
        }
        guard let start = text.firstRange(of: "://"), ["postgres", "postgresql"].contains(text[..<start.lowerBound])
        else { throw Problem(message: "it begins with postgres://") }
        let rest = text[start.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        // libpq would read on in the middle of a password, and say so.
        guard rest[..<end].count(where: { $0 == "@" }) <= 1, !rest[end...].contains("@"), !rest.contains("#") else {
            throw Problem(message: "\"@\", \"/\", \"?\" and \"#\" in user or password are percent-encoded\(Self.hint)")
        }
        guard let options = PostgresURLReader.options(text) else {
            throw Problem(
                message: "libpq cannot read it; it is postgres://user:password@host:port/database?sslmode=verify-full")
        }
        try Self.check(options, password: password)
        self.text = Secret(text)
        self.password = password.map { Secret($0) }
        self.description = Self.place(options)
    }

    private static func check(_ options: [String: String], password: String?) throws(Problem) {
        guard options["dbname"]?.isEmpty == false else {
            throw Problem(message: "the database is missing: postgres://user@host/database")
        }
        if let mode = options["sslmode"], !Self.modes.contains(mode) {
            throw Problem(message: "sslmode is one of \(Self.modes.sorted().joined(separator: ", "))")
        }
        let ports = options["port"]?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        guard ports.allSatisfy({ $0.isEmpty || UInt16($0) ?? 0 > 0 }) else {
            throw Problem(message: "the port is a number from 1 to 65535")
        }
        if password != nil, options["password"] != nil {
            throw Problem(message: "it has a password already: unset POSTERN_ISSUER_STORE_PASSWORD")
        }
    }

    private static func place(_ options: [String: String]) -> String {
        let host = options["host"] ?? options["hostaddr"] ?? ""
        let port = options["port"].map { ":" + $0 } ?? ""
        return "postgres://\(host)\(port)/\(options["dbname"] ?? "")"
    }

    /// What libpq is told, the last one of a name wins: defaults, what was written, and what it cannot change.
    ///
    /// A server that has vanished is noticed after some 11 seconds, in the middle of an answer too.
    var parameters: [(name: String, value: String)] {
        var parameters = [
            ("connect_timeout", "5"), ("keepalives_idle", "5"), ("keepalives_interval", "2"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "10000"), ("fallback_application_name", "postern-issuer"),
            ("dbname", String(decoding: self.text.bytes, as: UTF8.self)), ("client_encoding", "UTF8"),
        ]
        if let password { parameters.append(("password", String(decoding: password.bytes, as: UTF8.self))) }
        return parameters
    }
}

import PosternCore

/// What `postern import openapi` was asked for.
public struct ImportRequest: Equatable, Sendable {
    /// Arguments that do not go together.
    public struct Problem: Error, Equatable {
        public var message: String
    }

    /// The options of a whole proxy.yaml.
    public struct Whole: Equatable, Sendable {
        public var upstream: String?
        public var issuer: String?
        public var audiences: [String]
        public var keys: String?
        public var listen: String?
        public var service: String?

        public init(
            upstream: String? = nil, issuer: String? = nil, audiences: [String] = [], keys: String? = nil,
            listen: String? = nil, service: String? = nil
        ) {
            self.upstream = upstream
            self.issuer = issuer
            self.audiences = audiences
            self.keys = keys
            self.listen = listen
            self.service = service
        }

        fileprivate var isEmpty: Bool { self == Whole() }
    }

    /// The document.
    let file: String
    let basePath: String?
    /// The rule of operations of which the document does not say whom they let through.
    let silent: Access
    /// Nil: the section `routes` alone.
    let surroundings: PolicyDraft.Surroundings?
    /// Nil: standard output.
    let output: String?
    /// Whether `output` may be replaced.
    let force: Bool

    public init(
        file: String, basePath: String? = nil, silent: SilentAccess = .authenticated, whole: Whole = Whole(),
        output: String? = nil, force: Bool = false
    ) throws(Problem) {
        self.file = file
        self.basePath = try basePath.map { text throws(Problem) in try BasePath.checked(text) }
        self.silent = silent.access
        self.output = output
        self.force = force
        guard !whole.isEmpty else {
            self.surroundings = nil
            return
        }
        guard let upstream = whole.upstream, let issuer = whole.issuer, !whole.audiences.isEmpty else {
            throw Problem(
                message: "A whole proxy.yaml needs --upstream, --issuer and --audience; "
                    + "without any of its options the routes alone are written.")
        }
        self.surroundings = PolicyDraft.Surroundings(
            upstream: upstream, issuer: issuer, audiences: whole.audiences, keys: whole.keys, listen: whole.listen,
            service: whole.service)
    }
}

/// The rule of operations of which a document does not say whom they let through.
public enum SilentAccess: String, Sendable, CaseIterable {
    case deny
    case authenticated
    case open = "public"

    var access: Access {
        switch self {
        case .deny: .denied
        case .authenticated: .required(Requirement())
        case .open: .open
        }
    }
}

/// `--base-path`: what stands before every path of a document.
public enum BasePath {
    /// The path as templates want it in front of them: without a slash at its end.
    public static func checked(_ text: String) throws(ImportRequest.Problem) -> String {
        var bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/"), !bytes.contains(where: { "{}?#".utf8.contains($0) }) else {
            throw ImportRequest.Problem(message: "--base-path must be a path such as /api/v1, or / for none.")
        }
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

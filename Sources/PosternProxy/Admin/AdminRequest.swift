import NIOHTTP1

/// A request to the admin listener.
struct AdminRequest: Sendable {
    /// Bytes that a body may have.
    static let bodyLimit = 64 * 1024

    var method: HTTPMethod = .GET
    /// Without the query.
    var path: String
    /// Without the question mark; empty where there is none.
    var query = ""
    var headers: HTTPHeaders = [:]
    /// Empty for everything but POST; nil if it has more than `bodyLimit` bytes.
    var body: [UInt8]? = []

    init(path: String) {
        self.path = path
    }

    init(_ head: HTTPRequestHead, body: [UInt8]?) {
        self.method = head.method
        self.path = String(head.uri.prefix { $0 != "?" })
        self.query = String(head.uri.dropFirst(self.path.count + 1))
        self.headers = head.headers
        self.body = body
    }

    /// The value of `name` in the query, as it stands there: `configuration=1-…`.
    func parameter(_ name: String) -> Substring? {
        for pair in self.query.split(separator: "&") where pair.hasPrefix(name + "=") {
            return pair.dropFirst(name.count + 1)
        }
        return nil
    }
}

/// What the admin listener has, by path.
enum AdminResource: String, CaseIterable, Sendable {
    case health = "/healthz"
    case readiness = "/readyz"
    case metrics = "/metrics"
    case policy = "/policy"
    case page = "/"
    case status = "/status.json"
    case explain = "/explain"

    /// Whether it is for kubelet, Prometheus and their like: they ask by whatever name or address they know, and are no
    /// browsers.
    var isForProbes: Bool {
        switch self {
        case .health, .readiness, .metrics: true
        case .policy, .page, .status, .explain: false
        }
    }

    /// The value of `Allow`.
    var methods: String { self == .explain ? "POST" : "GET, HEAD" }

    func allows(_ method: HTTPMethod) -> Bool {
        self == .explain ? method == .POST : method == .GET || method == .HEAD
    }
}

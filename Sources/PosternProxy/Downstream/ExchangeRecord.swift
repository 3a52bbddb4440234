import PosternCore

/// What is remembered of one request for its metrics and its line in the access log.
struct ExchangeRecord {
    /// Monotonic nanoseconds of the head's first byte.
    var started: Int64 = 0
    /// Route index; `PolicyCatalogue.undeclared`, or `notRouted` for requests that never got so far.
    var route = ExchangeRecord.notRouted
    var method = Method.other
    /// What the proxy itself said to a preflight.
    var preflight = Preflight.none
    /// Which of the allowed origins the request came from.
    var origin = CrossOrigin.noOrigin
    /// The request's content-type if it is a gRPC call; a refusal is then a trailers-only answer. `status` is what it
    /// would have been by HTTP all the same: the 200 that such an answer has says nothing.
    var grpc: GRPCContentType?
    var refusal: RefusalCode?
    var status = 0
    var bytesIn: Int64 = 0
    var bytesOut: Int64 = 0
    /// Monotonic nanoseconds at which the request went to the upstream, and from then to the response head.
    var upstreamStarted: Int64 = 0
    var upstreamDuration: Int64?
    var spoofed = false
    /// Whether a trusted proxy sent the request, and its forwarding lines are believed.
    var isProxied = false
    var token: VerifiedToken?
    var source: VerifiedToken.Source?
    /// Whether the ids of the loop were taken for this request.
    var isOpen = false

    static let notRouted = Int.min

    /// What the proxy itself said to a preflight.
    enum Preflight: UInt8 {
        /// Nothing: the request was none, or was not answered here.
        case none
        case allowed
        /// The origin is not an allowed one.
        case denied

        /// The `code` of its decision in logs and metrics.
        var code: String? {
            switch self {
            case .none: nil
            case .allowed: "preflight"
            case .denied: "preflight_denied"
            }
        }
    }

    init() {}
}

/// The parts of a record that need memory of their own; reused from request to request. All but the request's id are
/// taken only while an access log is written.
struct ExchangeTexts {
    var requestID: [UInt8] = []
    var traceID: [UInt8] = []
    var method: [UInt8] = []
    var path: [UInt8] = []

    /// Takes what only the access log needs.
    mutating func take(_ intake: inout Intake, method: RawSpan, target: RawSpan) {
        self.traceID.removeAll(keepingCapacity: true)
        intake.appendTraceID(to: &self.traceID)
        self.method.removeAll(keepingCapacity: true)
        self.method.append(method)
        self.path.removeAll(keepingCapacity: true)
        self.appendPath(target)
    }

    /// Takes the path of a request target: up to the query, which is never logged. A target that is no path (it may hold
    /// credentials) is not taken at all.
    private mutating func appendPath(_ target: RawSpan) {
        guard target.byteCount > 0, target.byte(0) == UInt8(ascii: "/") else { return }
        var end = 1
        while end < target.byteCount, target.byte(end) != UInt8(ascii: "?") { end += 1 }
        self.path.append(target.extracting(0..<end))
    }

    /// Forgets what was taken for the access log; keeps the memory.
    mutating func removeLogged() {
        self.traceID.removeAll(keepingCapacity: true)
        self.method.removeAll(keepingCapacity: true)
        self.path.removeAll(keepingCapacity: true)
    }
}

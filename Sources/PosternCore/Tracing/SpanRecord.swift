/// A span that has ended: what is exported of it.
public struct SpanRecord: Equatable, Sendable {
    /// What a span stands for (OpenTelemetry, SpanKind).
    public enum Kind: UInt64, Equatable, Sendable {
        case `internal` = 1
        case server, client, producer, consumer
    }

    /// How the operation ended.
    public enum Status: Equatable, Sendable {
        case unset
        case ok
        case error(String)
    }

    /// The value of an attribute.
    public indirect enum Value: Equatable, Sendable {
        case string(String)
        case bool(Bool)
        case int(Int64)
        case double(Double)
        case array([Value])
    }

    /// Something that happened at one moment.
    public struct Event: Equatable, Sendable {
        /// Unix nanoseconds.
        public var time: UInt64
        public var name: String
        public var attributes: [String: Value]

        public init(time: UInt64, name: String, attributes: [String: Value] = [:]) {
            self.time = time
            self.name = name
            self.attributes = attributes
        }
    }

    /// Another span that has to do with this one.
    public struct Link: Equatable, Sendable {
        public var context: TraceContext
        public var attributes: [String: Value]

        public init(context: TraceContext, attributes: [String: Value] = [:]) {
            self.context = context
            self.attributes = attributes
        }
    }

    public var context: TraceContext
    /// The span that this one is a part of; 0: none.
    public var parent: UInt64
    /// Whether the parent is another process's.
    public var parentIsRemote: Bool
    /// The `tracestate` that came; empty if none did.
    public var state: [UInt8]
    public var name: String
    public var kind: Kind
    /// Unix nanoseconds.
    public var start: UInt64
    public var end: UInt64
    public var attributes: [String: Value] = [:]
    public var events: [Event] = []
    public var links: [Link] = []
    public var status = Status.unset

    public init(
        context: TraceContext, parent: UInt64 = 0, parentIsRemote: Bool = false, state: [UInt8] = [], name: String,
        kind: Kind, start: UInt64, end: UInt64
    ) {
        self.context = context
        self.parent = parent
        self.parentIsRemote = parentIsRemote
        self.state = state
        self.name = name
        self.kind = kind
        self.start = start
        self.end = end
    }
}

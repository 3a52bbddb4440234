/// Why the issuer does not start. The descriptions are whole sentences for the operator.
enum IssuerStartError: Error, Equatable, CustomStringConvertible {
    /// The store cannot be used; the text says why.
    case store(String)
    /// The master key's file cannot be used; the text says why.
    case keyFile(String)
    /// The master key is another than the one the store was made with.
    case wrongKey
    /// `run` without `--dev` on a store that nobody has set up.
    case emptyStore
    /// `run` without `--dev` on a development store.
    case developmentStore
    /// `run --dev` on a store that is in real use.
    case serviceStore
    /// `bootstrap` on a store that has been set up already.
    case notEmpty
    /// Redis cannot be used as it is configured; the text says why.
    case redis(String)
    /// The audit log cannot be opened; the text says why.
    case audit(String)
    /// The listener cannot be opened; the text says why.
    case listen(String)

    var description: String {
        switch self {
        case .store(let reason): "store: \(reason)"
        case .keyFile(let reason): "key file: \(reason)"
        case .wrongKey:
            "store: its signing keys cannot be opened with this key; start with the key that the store was made with"
        case .emptyStore:
            "store: it is empty; make its first client with `postern-issuer bootstrap`, or try things out with --dev"
        case .developmentStore:
            "store: it was made with --dev, so the secrets in it were printed; start with --dev, or name another --store"
        case .serviceStore: "store: it was made without --dev; --dev would add clients to it whose secrets are printed"
        case .notEmpty: "store: it has been set up already; bootstrap is for a new one"
        case .redis(let reason): "redis: \(reason)"
        case .audit(let reason): "audit log: \(reason)"
        case .listen(let reason): reason
        }
    }

    /// The exit code: EX_CONFIG where another configuration is the remedy, else 1.
    var exitCode: Int32 {
        switch self {
        case .emptyStore, .developmentStore, .serviceStore, .wrongKey, .keyFile, .notEmpty, .redis, .audit: 78
        case .store, .listen: 1
        }
    }
}

/// Why a command ends without having done what it was asked: sentences for the operator, and the exit code.
public struct IssuerFailure: Error, Sendable {
    /// One after the other, each without its end.
    public let sentences: [String]
    public let exitCode: Int32

    init(sentences: [String], exitCode: Int32 = 1) {
        self.sentences = sentences
        self.exitCode = exitCode
    }

    init(_ error: any Error) {
        if let error = error as? IssuerStartError {
            self.init(sentences: [error.description], exitCode: error.exitCode)
        } else {
            self.init(sentences: [String(describing: error)])
        }
    }
}

public import PosternCore

/// The store, the key that protects it, and what signs.
public struct StoreConfiguration: Equatable, Sendable {
    public var location: StoreLocation
    public var keySource: KeySource
    /// What is to sign new tokens; nil: what the store's last key is for, RS256 in a new one.
    public var algorithm: SignatureAlgorithm?

    /// Checks the options and the environment as far as they concern the store.
    public static func resolve(
        _ options: IssuerOptions, _ environment: IssuerEnvironment
    ) throws(ConfigurationErrors) -> StoreConfiguration {
        var reader = OptionReader(options: options, environment: environment)
        let configuration = reader.readStore()
        guard reader.problems.isEmpty else { throw ConfigurationErrors(problems: reader.problems) }
        return configuration
    }

    /// The store, made where it is not there yet, with its schema up to date. Throws `IssuerStartError.store`.
    func open() async throws -> any IssuerStore {
        do {
            switch self.location {
            case .sqlite(let path): return try await SQLStore.open(try SQLiteDatabase(path: path))
            }
        } catch let error as StoreError {
            switch error.kind {
            case .newer:
                throw IssuerStartError.store(
                    "\(self.location) was written by a newer version of postern-issuer; start that one, or restore the "
                        + "backup from before it")
            case .unavailable, .failed, .unknownOutcome:
                throw IssuerStartError.store("\(self.location) cannot be opened: \(error.reason)")
            }
        }
    }
}

/// Where the store is.
public enum StoreLocation: Equatable, Sendable, CustomStringConvertible {
    /// The file of an embedded store.
    case sqlite(path: String)

    /// As it may be shown: without user and password.
    public var description: String {
        switch self {
        case .sqlite(let path): path
        }
    }
}

/// Where the key comes from that everything secret in the store is protected under.
public enum KeySource: Equatable, Sendable {
    /// 32 bytes from the environment.
    case bytes([UInt8])
    /// A file that only its owner may read; it is made at the first start.
    case file(String)
}

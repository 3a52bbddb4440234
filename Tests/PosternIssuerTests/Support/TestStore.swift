import PosternCore
import Testing

@testable import PosternIssuer

/// The kinds of store that every test of the store runs over.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case sqlite

    var testDescription: String { self.rawValue }
}

/// A store of its own for one test, and more ways into the same one.
struct TestStore: Sendable {
    let kind: StoreKind
    /// Where it is.
    let location: StoreLocation

    /// A place where there is no store yet.
    init(_ kind: StoreKind) async throws {
        self.kind = kind
        switch kind {
        case .sqlite: self.location = .sqlite(path: try TemporaryFolder().file("store.sqlite"))
        }
    }

    /// Opens it, as another process would.
    func open() async throws -> SQLStore {
        let configuration = StoreConfiguration(location: self.location, keySource: .bytes([]), algorithm: .es256)
        return try #require(try await configuration.open() as? SQLStore)
    }
}

extension IssuerStore {
    /// Runs statements behind the store's back.
    func script(_ sql: String) async throws {
        let store = try #require(self as? SQLStore)
        try await store.database.write { try $0.script(sql) }
    }

    /// The first value of the first row of a SELECT.
    func value(_ sql: String) async throws -> SQLValue? {
        let store = try #require(self as? SQLStore)
        return try await store.database.rows(sql).first?.first
    }
}

extension StoreConfiguration {
    /// An embedded store.
    init(path: String, keySource: KeySource, algorithm: SignatureAlgorithm?) {
        self.init(location: .sqlite(path: path), keySource: keySource, algorithm: algorithm)
    }
}

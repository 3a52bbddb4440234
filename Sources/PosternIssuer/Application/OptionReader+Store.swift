extension OptionReader {
    /// The part that concerns the store.
    mutating func readStore() -> StoreConfiguration {
        let location = self.storeLocation()
        return StoreConfiguration(
            location: location, keySource: self.keySource(standard: location.standardKeyFile),
            algorithm: self.algorithm())
    }

    private mutating func storeLocation() -> StoreLocation {
        let text = self.options.store ?? self.environment.value("STORE") ?? "sqlite:postern-issuer.sqlite"
        let password = self.environment.value("STORE_PASSWORD")
        if text.hasPrefix("postgres:") || text.hasPrefix("postgresql:") {
            return self.postgres(text, password: password)
        }
        if password != nil {
            self.problems.append("POSTERN_ISSUER_STORE_PASSWORD does nothing without --store postgres://; unset it")
        }
        guard text.hasPrefix("sqlite:") else {
            self.problems.append("--store is sqlite:PATH or postgres://user:password@host:port/database")
            return .sqlite(path: "")
        }
        let path = String(text.dropFirst("sqlite:".count))
        if path.isEmpty || path.hasPrefix(":") {
            self.problems.append("--store sqlite:PATH needs the path of a file")
        }
        return .sqlite(path: path)
    }

    /// Says nothing of what the URL holds: a password may stand anywhere in it.
    private mutating func postgres(_ text: String, password: String?) -> StoreLocation {
        do throws(PostgresURL.Problem) {
            return .postgres(try PostgresURL(text, password: password))
        } catch {
            self.problems.append("--store: \(error.message)")
            return .sqlite(path: "")
        }
    }

    private mutating func keySource(standard: String) -> KeySource {
        let file = self.options.keyFile ?? self.environment.value("KEY_FILE")
        guard let text = self.environment.value("KEY") else { return .file(file ?? standard) }
        if file != nil { self.problems.append("POSTERN_ISSUER_KEY and --key-file exclude each other") }
        guard let key = MasterKey.decode(text) else {
            self.problems.append(
                "POSTERN_ISSUER_KEY is 32 random bytes in base64url or hexadecimal (openssl rand -hex 32)")
            return .bytes([])
        }
        return .bytes(key)
    }
}

extension StoreLocation {
    /// Where the key file is unless it is said: beside an embedded store, or in the working directory.
    fileprivate var standardKeyFile: String {
        switch self {
        case .sqlite(let path): path + ".key"
        case .postgres: "postern-issuer.key"
        }
    }
}

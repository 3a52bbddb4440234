import Foundation
import Logging
import PosternCore

/// Turns options and environment into a configuration, and collects what is wrong on the way.
struct OptionReader {
    let options: IssuerOptions
    let environment: IssuerEnvironment
    var problems: [String] = []

    init(options: IssuerOptions, environment: IssuerEnvironment) {
        self.options = options
        self.environment = environment
    }

    /// The configuration; meaningless if `problems` is not empty afterwards.
    mutating func read() -> IssuerConfiguration {
        let dev = self.dev()
        return IssuerConfiguration(
            dev: dev,
            listen: self.listen(dev: dev),
            adminListen: self.adminListen(dev: dev),
            issuer: self.issuer(dev: dev),
            audiences: self.audiences(dev: dev),
            store: self.readStore(),
            trustedProxies: self.trustedProxies(),
            redis: self.redis(),
            audit: self.audit(),
            keyAge: self.keyAge(),
            logLevel: self.logLevel(),
            devSecrets: self.devSecrets(dev: dev)
        )
    }

    /// The part that concerns the store.
    mutating func readStore() -> StoreConfiguration {
        let path = self.storePath()
        return StoreConfiguration(
            location: .sqlite(path: path), keySource: self.keySource(store: path), algorithm: self.algorithm())
    }

    private mutating func dev() -> Bool {
        if self.options.dev { return true }
        switch self.environment.value("DEV") {
        case nil, "0", "false": return false
        case "1", "true": return true
        default:
            self.problems.append("POSTERN_ISSUER_DEV is true or false")
            return false
        }
    }

    private mutating func listen(dev: Bool) -> ListenAddress {
        let standard = ListenAddress(host: "127.0.0.1", port: 8000)
        guard let text = self.options.listen ?? self.environment.value("LISTEN") else { return standard }
        guard let address = ListenAddress(text) else {
            self.problems.append("--listen is HOST:PORT, for instance 127.0.0.1:8000 or [::1]:8000")
            return standard
        }
        if dev, !address.isLoopback {
            self.problems.append(
                "--dev listens on loopback only (127.0.0.1 or [::1]): its client secrets are printed to the terminal")
        }
        return address
    }

    private mutating func issuer(dev: Bool) -> String? {
        guard let text = self.options.issuer ?? self.environment.value("ISSUER") else {
            if !dev { self.problems.append("--issuer is needed: the URL under which clients and services know it") }
            return nil
        }
        guard Self.isIssuerURL(text) else {
            self.problems.append("--issuer is an http or https URL without user, query and fragment")
            return nil
        }
        return text
    }

    /// RFC 8414 section 2, and plain http besides, which is usual inside a cluster.
    private static func isIssuerURL(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.contains("?"), !text.contains("#"), !text.contains("\""), !text.contains("\\"),
            let url = URLComponents(string: text), url.scheme == "http" || url.scheme == "https",
            let host = url.host, !host.isEmpty, url.user == nil, url.password == nil
        else { return false }
        return true
    }

    private mutating func audiences(dev: Bool) -> [String] {
        var names = self.options.audience
        if names.isEmpty, let text = self.environment.value("AUDIENCE") {
            names = text.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
        }
        if names.isEmpty {
            if dev { return ["mt5-api"] }
            self.problems.append("--audience is needed: the name of each service that accepts the tokens")
        } else if names.contains("") {
            self.problems.append("--audience must not be empty")
        }
        return names
    }

    private mutating func trustedProxies() -> TrustedProxies {
        guard let text = self.options.trustedProxies ?? self.environment.value("TRUSTED_PROXIES") else {
            return TrustedProxies()
        }
        guard let blocks = AddressBlock.list(text) else {
            self.problems.append(
                "--trusted-proxies is a list of addresses and CIDR blocks, for instance 10.0.0.0/8,2001:db8::/32")
            return TrustedProxies()
        }
        if blocks.contains(where: { $0.description.hasSuffix("/0") }) {
            self.problems.append("--trusted-proxies must not hold every address: anybody could say to be anybody")
        }
        return TrustedProxies(blocks: blocks)
    }

    private mutating func storePath() -> String {
        let text = self.options.store ?? self.environment.value("STORE") ?? "sqlite:postern-issuer.sqlite"
        if text.hasPrefix("sqlite:") {
            let path = String(text.dropFirst("sqlite:".count))
            if path.isEmpty || path.hasPrefix(":") {
                self.problems.append("--store sqlite:PATH needs the path of a file")
            }
            return path
        }
        if text.hasPrefix("postgres:") || text.hasPrefix("postgresql:") {
            self.problems.append("--store postgres:// is not available yet; use sqlite:PATH")
        } else {
            self.problems.append("--store is sqlite:PATH")
        }
        return text
    }

    private mutating func algorithm() -> SignatureAlgorithm? {
        switch self.options.algorithm ?? self.environment.value("ALGORITHM") {
        case nil: return nil
        case "RS256": return .rs256
        case "ES256": return .es256
        case "EdDSA": return .eddsa
        default:
            self.problems.append("--algorithm is RS256, ES256 or EdDSA")
            return nil
        }
    }

    private mutating func keySource(store: String) -> KeySource {
        let file = self.options.keyFile ?? self.environment.value("KEY_FILE")
        guard let text = self.environment.value("KEY") else { return .file(file ?? store + ".key") }
        if file != nil { self.problems.append("POSTERN_ISSUER_KEY and --key-file exclude each other") }
        guard let key = MasterKey.decode(text) else {
            self.problems.append(
                "POSTERN_ISSUER_KEY is 32 random bytes in base64url or hexadecimal (openssl rand -hex 32)")
            return .bytes([])
        }
        return .bytes(key)
    }

    private mutating func logLevel() -> Logger.Level {
        guard let text = self.options.logLevel ?? self.environment.value("LOG_LEVEL") else { return .info }
        guard let level = Logger.Level(rawValue: text) else {
            self.problems.append("--log-level is trace, debug, info, notice, warning, error or critical")
            return .info
        }
        return level
    }

    private mutating func devSecrets(dev: Bool) -> [String: String] {
        var secrets: [String: String] = [:]
        for client in ReferenceClients.all {
            let name = ReferenceClients.secretVariable(client.clientID)
            guard let secret = self.environment.value(name) else { continue }
            if !dev {
                self.problems.append("POSTERN_ISSUER_\(name) is for --dev only; unset it")
            } else if secret.utf8.count < 32 || !secret.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
                self.problems.append("POSTERN_ISSUER_\(name) needs at least 32 printable ASCII characters")
            }
            secrets[client.clientID] = secret
        }
        return secrets
    }
}

import Logging
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct OptionsTests {
    private func resolve(
        _ environment: [String: String] = [:], _ change: (inout IssuerOptions) -> Void = { _ in }
    ) throws -> IssuerConfiguration {
        var options = IssuerOptions()
        change(&options)
        return try IssuerConfiguration.resolve(options, IssuerEnvironment(environment))
    }

    @Test("--dev alone is enough")
    func devDefaults() throws {
        let configuration = try self.resolve { $0.dev = true }
        #expect(configuration.listen == ListenAddress(host: "127.0.0.1", port: 8000))
        #expect(configuration.issuer == nil)
        #expect(configuration.audiences == ["mt5-api"])
        #expect(
            configuration.store
                == StoreConfiguration(
                    path: "postern-issuer.sqlite", keySource: .file("postern-issuer.sqlite.key"), algorithm: nil))
        #expect(configuration.redis == nil)
        #expect(configuration.audit.path == nil && configuration.audit.retention == 90 * 86400)
        #expect(configuration.keyAge == 90 * 86400)
        #expect(configuration.devSecrets.isEmpty)
    }

    @Test("Everything can come from the environment")
    func environment() throws {
        let configuration = try self.resolve([
            "POSTERN_ISSUER_DEV": "true",
            "POSTERN_ISSUER_LISTEN": "[::1]:9000",
            "POSTERN_ISSUER_ISSUER": "https://issuer.example/base",
            "POSTERN_ISSUER_AUDIENCE": "mt5-api, account-api",
            "POSTERN_ISSUER_STORE": "sqlite:/var/lib/issuer.sqlite",
            "POSTERN_ISSUER_ALGORITHM": "EdDSA",
            "POSTERN_ISSUER_KEY_FILE": "/run/key",
            "POSTERN_ISSUER_LOG_LEVEL": "debug",
            "POSTERN_ISSUER_DEV_SECRET_MT5_API_SERVICE": TestIssuer.serviceSecret,
            "POSTERN_ISSUER_REDIS": "",
        ])
        #expect(
            configuration
                == IssuerConfiguration(
                    dev: true, listen: ListenAddress(host: "::1", port: 9000), issuer: "https://issuer.example/base",
                    audiences: ["mt5-api", "account-api"],
                    store: StoreConfiguration(
                        path: "/var/lib/issuer.sqlite", keySource: .file("/run/key"), algorithm: .eddsa),
                    logLevel: .debug, devSecrets: ["mt5-api-service": TestIssuer.serviceSecret]))
    }

    @Test("An option wins over its variable")
    func optionsWin() throws {
        let configuration = try self.resolve([
            "POSTERN_ISSUER_LISTEN": "127.0.0.1:1", "POSTERN_ISSUER_AUDIENCE": "one",
        ]) {
            $0.dev = true
            $0.listen = "127.0.0.1:2"
            $0.audience = ["two", "three"]
        }
        #expect(configuration.listen.port == 2)
        #expect(configuration.audiences == ["two", "three"])
    }

    @Test(
        "The audit log's retention is a number with its unit",
        arguments: [
            ("90d", 90 * 86400), ("12h", 43200), ("60m", 3600), ("3600s", 3600), ("0", nil), ("59m", -1), ("90", -1),
            ("d", -1), ("-1d", -1), ("1000000000d", -1), ("1 d", -1), ("90D", -1), ("", 90 * 86400),
        ] as [(String, Int?)])
    func auditRetention(_ text: String, _ expected: Int?) throws {
        let environment = [
            "POSTERN_ISSUER_AUDIT_RETENTION": text, "POSTERN_ISSUER_AUDIT_LOG": "/var/log/audit",
            "POSTERN_ISSUER_DEV": "1",
        ]
        guard expected != -1 else {
            let errors = #expect(throws: ConfigurationErrors.self) { try self.resolve(environment) }
            #expect(errors?.problems.first?.hasPrefix("--audit-retention is a number with d, h, m or s") == true)
            return
        }
        let audit = try self.resolve(environment) { $0.auditLog = text == "0" ? "-" : nil }.audit
        #expect(audit.retention == expected)
        #expect(audit.path == (text == "0" ? nil : "/var/log/audit"))
    }

    @Test("The key may be in the environment")
    func key() throws {
        let configuration = try self.resolve(["POSTERN_ISSUER_KEY": String(repeating: "0f", count: 32)]) {
            $0.dev = true
        }
        #expect(configuration.store.keySource == .bytes([UInt8](repeating: 0x0F, count: 32)))
    }

    @Test(
        "A wrong setting is named with its remedy",
        arguments: [
            (["LISTEN": "8000"], "--listen is HOST:PORT"),
            (["LISTEN": "0.0.0.0:8000"], "--dev listens on loopback only"),
            (["LISTEN": "10.0.0.1:8000"], "--dev listens on loopback only"),
            (["ISSUER": "issuer.example"], "--issuer is an http or https URL"),
            (["ISSUER": "https://issuer.example/?a"], "--issuer is an http or https URL"),
            (["ISSUER": "https://user@issuer.example"], "--issuer is an http or https URL"),
            (["STORE": "postgres://db/issuer"], "--store postgres:// is not available yet"),
            (["STORE": "mysql://db"], "--store is sqlite:PATH"),
            (["STORE": "sqlite:"], "--store sqlite:PATH needs the path"),
            (["STORE": "sqlite::memory:"], "--store sqlite:PATH needs the path"),
            (["ALGORITHM": "HS256"], "--algorithm is RS256, ES256 or EdDSA"),
            (["ALGORITHM": "none"], "--algorithm is RS256, ES256 or EdDSA"),
            (["KEY": "secret"], "POSTERN_ISSUER_KEY is 32 random bytes"),
            (["LOG_LEVEL": "loud"], "--log-level is trace"),
            (["DEV_SECRET_TRADING_DASHBOARD": "short"], "needs at least 32 printable ASCII characters"),
        ])
    func problems(_ variables: [String: String], _ sentence: String) {
        var environment = ["POSTERN_ISSUER_DEV": "true"]
        for (name, value) in variables { environment["POSTERN_ISSUER_" + name] = value }
        let errors = #expect(throws: ConfigurationErrors.self) { try self.resolve(environment) }
        #expect(errors?.problems.count == 1)
        #expect(errors?.problems.first?.contains(sentence) == true)
    }

    @Test("POSTERN_ISSUER_DEV is true or false", arguments: [("1", true), ("true", true), ("0", false), ("yes", nil)])
    func dev(_ value: String, _ dev: Bool?) throws {
        let environment = [
            "POSTERN_ISSUER_DEV": value, "POSTERN_ISSUER_ISSUER": TestIssuer.url, "POSTERN_ISSUER_AUDIENCE": "a",
        ]
        if let dev {
            let found = try self.resolve(environment).dev
            #expect(found == dev)
        } else {
            let errors = #expect(throws: ConfigurationErrors.self) { try self.resolve(environment) }
            #expect(errors?.problems == ["POSTERN_ISSUER_DEV is true or false"])
        }
    }

    @Test("All that is wrong is said at once")
    func allAtOnce() {
        let errors = #expect(throws: ConfigurationErrors.self) {
            try self.resolve([
                "POSTERN_ISSUER_DEV_SECRET_TRADING_DASHBOARD": TestIssuer.dashboardSecret,
                "POSTERN_ISSUER_KEY": String(repeating: "0f", count: 32), "POSTERN_ISSUER_KEY_FILE": "k",
                "POSTERN_ISSUER_STORE": "postgres:x",
            ])
        }
        #expect(
            errors?.problems == [
                "--issuer is needed: the URL under which clients and services know it",
                "--audience is needed: the name of each service that accepts the tokens",
                "--store postgres:// is not available yet; use sqlite:PATH",
                "POSTERN_ISSUER_KEY and --key-file exclude each other",
                "POSTERN_ISSUER_DEV_SECRET_TRADING_DASHBOARD is for --dev only; unset it",
            ])
    }

    @Test(
        "Addresses to listen on",
        arguments: [
            ("127.0.0.1:0", "127.0.0.1:0", true), ("localhost:80", "localhost:80", true),
            ("[::1]:8000", "[::1]:8000", true), ("0.0.0.0:65535", "0.0.0.0:65535", false),
            ("issuer.example:8000", "issuer.example:8000", false), ("127.0.0.1:65536", nil, false),
            ("127.0.0.1:-1", nil, false), ("127.0.0.1:", nil, false), (":8000", nil, false), ("::1:8000", nil, false),
            ("[127.0.0.1]:80", nil, false), ("[::1]", nil, false), ("", nil, false),
        ] as [(String, String?, Bool)])
    func listen(_ text: String, _ expected: String?, _ loopback: Bool) {
        let address = ListenAddress(text)
        #expect(address?.description == expected)
        #expect((address?.isLoopback ?? false) == loopback)
    }
}

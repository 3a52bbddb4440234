import Testing

@testable import PosternCore

@Suite struct JSONSchemaTests {
    private static func schema() throws -> JSONValue {
        try JSONReader.parse(Array(ConfigurationLoader.jsonSchema().utf8).span.bytes)
    }

    @Test func schemaIsJSONOfDraft2020() throws {
        let schema = try Self.schema()
        #expect(schema["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
        #expect(schema["type"]?.string == "object")
        #expect(schema["additionalProperties"] == .bool(false))
        #expect(schema["required"] == .array([.string("upstream")]))
    }

    @Test func schemaHasEveryKeyOfTheDocument() throws {
        guard case .object(let properties)? = try Self.schema()["properties"] else {
            Issue.record("no properties")
            return
        }
        #expect(properties.map(\.name) == Shape.document.keys.map(\.name))
    }

    @Test func everyKeyIsDescribed() throws {
        try Self.check(Self.schema())
    }

    private static func check(_ schema: JSONValue) throws {
        if case .object(let properties)? = schema["properties"] {
            for property in properties where property.name != "file" || property.value["description"] != nil {
                let description = try #require(property.value["description"]?.string, "\(property.name)")
                #expect(!description.isEmpty)
                try Self.check(property.value)
            }
        }
        for name in ["anyOf", "allOf"] {
            guard case .array(let items)? = schema[name] else { continue }
            for item in items { try Self.check(item) }
        }
        for name in ["items", "additionalProperties"] {
            if let item = schema[name] { try Self.check(item) }
        }
    }

    @Test(arguments: [
        ("timeouts", "head", JSONValue.string("10s")), ("limits", "headers", .number(100, text: "100")),
        ("log", "level", .string("info")), ("paths", "semicolon", .string("deny")),
    ])
    func defaultIsSaid(section: String, key: String, value: JSONValue) throws {
        #expect(try Self.schema()["properties"]?[section]?["properties"]?[key]?["default"] == value)
    }

    @Test func keyThatIsNotAvailableYetSaysSo() {
        let key = Key("x", .boolean, availability: .later, "What it is")
        #expect(key.schema["description"]?.string == "What it is (not available yet)")
    }

    @Test func tunnelsAreThereWithTheirDefaults() throws {
        let properties = try Self.schema()["properties"]
        #expect(properties?["tunnel_at_expiry"]?["default"]?.string == "close")
        #expect(properties?["timeouts"]?["properties"]?["tunnel_idle"]?["default"]?.string == "1h")
        let description = try #require(properties?["tunnel_at_expiry"]?["description"]?.string)
        #expect(!description.contains("not available"))
    }

    @Test func sealIsASecretOrAListOfThem() throws {
        let seal = try #require(try Self.schema()["properties"]?["redis"]?["properties"]?["seal"])
        guard case .array(let forms)? = seal["anyOf"] else {
            Issue.record("no alternatives")
            return
        }
        #expect(forms.count == 2)
        #expect(forms.last?["type"]?.string == "array")
        #expect(forms.last?["items"] == forms.first)
    }
}

@Suite struct EffectivePolicyTests {
    private static let full =
        "{service: s, realm: r, listen: [127.0.0.1:1, {address: \"unix:/l\", proxy_protocol: true}, "
        + "{address: 127.0.0.1:4, tls: {certificate: own.pem, key: own.key, client_ca: public.pem, client_auth: request}}], "
        + "upstream: {url: \"https://h:1\", tls: {ca: public.pem, server_name: s, certificate: own.pem, key: own.key}, "
        + "connections: 3, queue: 4, "
        + "retry: {attempts: 0}}, admin: {address: 127.0.0.1:2, status: 0.0.0.0:3}, issuers: {"
        + "a: {issuer: x, audiences: [m], algorithms: ES256, leeway: 1500ms, token_types: JWT, admin: is_admin, "
        + "claims: {scopes: [/a~1b/c, d]}, keys: {url: \"https://h/k?api_key=hunter2\", refresh: 1m, ca: public.pem, "
        + "headers: {X-Key: hunter2}}}, "
        + "b: {issuer: y, audiences: any, algorithms: HS256, keys: {secret: hunter2hunter2hunter2hunter2hunter2}}, "
        + "c: {issuer: z, audiences: any, keys: {file: jwk.json}}, "
        + "d: {issuer: \"https://h\", audiences: any, revocation: required, keys: {discover: true}}, "
        + "e: {introspection: {url: \"https://h/k?api_key=hunter2\", credentials: {bearer: hunter2}, dialect: hecate, "
        + "cache: 1m, negative_cache: 0s, stale_if_error: 1h, timeout: 1s, ca: public.pem}, revocation: redis}, "
        + "f: {issuer: i, audiences: [m], claims: {user: u}, introspection: {url: \"http://h/\", "
        + "credentials: {basic: {id: me, secret: hunter2}}}}, "
        + "g: {introspection: {url: \"http://h/\", credentials: {form: {id: me, secret: hunter2}}}}}, "
        + "redis: {url: \"rediss+sentinel://hunter2:hunter2@h,i:1/m/3\", ca: public.pem, timeout: 20ms, "
        + "key_prefix: \"p:\", seal: hunter2hunter2hunter2hunter2hunter2}, "
        + "identity: {X-A: user, X-B: /a/b, X-C: is_trusted}, forward_token: true, default: authenticated, "
        + "routes: {GET /p: public, GET /d: deny, GET /o: optional, GET /a: {}, \"GET /r/{x}\": {scopes: [a, b], any_scope: c, "
        + "roles: d, issuers: a, claims: {e: [1, true], f: \"{x}\", g: h}, timeout: 5s, body: 0B, forward_token: false, "
        + "upgrade: [tcp, x], upstream: unix:/t}, GET /t: {upstream: {url: \"https://i\", tls: {ca: own.pem}}}}, "
        + "paths: {semicolon: allow}, limits: {body: 1MiB}, timeouts: {drain: 0s, tunnel_idle: 5m}, "
        + "tunnel_at_expiry: keep, "
        + "log: {access: off}, tracing: {endpoint: \"https://h/t?api_key=hunter2\", sample: 0.25, parents: ignore, limit: 7, "
        + "service_name: n, headers: {X-Key: hunter2}, timeout: 3s, ca: public.pem}, event_loops: 2, trusted_proxies: [10.0.0.0/8, \"fd00::/8\", unix]}"

    @Test func policyIsAConfigurationWithTheSameMeaning() throws {
        var expected = try World.configuration(Self.full)
        let json = try JSONReader.parse(Array(expected.effectivePolicy().utf8).span.bytes)
        // What is redacted cannot come back.
        let restored = try JSONReader.parse(
            Array(
                expected.effectivePolicy().replacing("?[redacted]", with: "").replacing("[redacted]@", with: "u:p@")
                    .replacing("[redacted]", with: World.secret).utf8
            ).span.bytes)
        #expect(json["issuers"]?["b"]?["keys"]?["secret"]?.string == "[redacted]")
        var loaded = try ConfigurationLoader.load(restored.node, environment: World.environment).get().configuration
        expected.forgetPlaces()
        loaded.forgetPlaces()
        #expect(loaded.routes == expected.routes)
        #expect(loaded == expected)
    }

    @Test func policyHoldsNoSecret() throws {
        let policy = try World.configuration(Self.full).effectivePolicy()
        #expect(!policy.contains("hunter2"))
        #expect(policy.contains("https://h/k?[redacted]"))
        #expect(policy.contains("own.key") && !policy.contains("a key"))
    }

    @Test func policyNamesThePlaceOfRedisAndTheNumberOfSeals() throws {
        let other = "hunter2hunter2hunter2hunter2hunter2"
        let configuration = try World.configuration(
            "{upstream: unix:/s, redis: {url: \"redis://u:hunter2@h/1\", seal: [\"${SECRET}\", \(other)]}}")
        let policy = try JSONReader.parse(Array(configuration.effectivePolicy().utf8).span.bytes)
        #expect(
            policy["redis"]
                == .members([
                    ("url", .string("redis://[redacted]@h:6379/1")), ("timeout", .string("50ms")),
                    ("key_prefix", .string("postern:")), ("seal", .strings(["[redacted]", "[redacted]"])),
                ]))
    }

    @Test func policyOfAnIntrospectedIssuerSaysWhatHolds() throws {
        let configuration = try World.configuration(
            "{upstream: unix:/s, issuers: {i: {introspection: {url: \"https://i/\", dialect: hecate, "
                + "credentials: {basic: {id: me, secret: hunter2}}}}}}")
        let issuer = try JSONReader.parse(Array(configuration.effectivePolicy().utf8).span.bytes)["issuers"]?["i"]
        guard case .object(let members)? = issuer else {
            Issue.record("no issuer")
            return
        }
        #expect(members.map(\.name) == ["audiences", "introspection", "leeway", "claims", "revocation"])
        #expect(issuer?["audiences"]?.string == "any")
        #expect(issuer?["claims"]?["user"] == .strings(["user_id"]))
        #expect(issuer?["revocation"]?.string == "off")
        #expect(issuer?["introspection"]?["credentials"]?["basic"]?["id"]?.string == "me")
        #expect(issuer?["introspection"]?["credentials"]?["basic"]?["secret"]?.string == "[redacted]")
        #expect(issuer?["introspection"]?["negative_cache"]?.string == "5s")
    }
}

extension Configuration {
    /// Leaves what two files with one meaning have in common.
    fileprivate mutating func forgetPlaces() {
        let mark = Mark(line: 1, column: 1)
        self.admin.mark = mark
        self.redis?.mark = mark
        self.tracing?.mark = mark
        self.tracing?.endpoint = "https://h/t"
        let headers = self.tracing?.headers ?? []
        self.tracing?.headers = headers.map { .init(name: $0.name, value: Secret("x")) }
        for index in self.listen.indices { self.listen[index].mark = mark }
        for index in self.routes.indices { self.routes[index].mark = mark }
        for index in self.issuers.indices {
            self.issuers[index].mark = mark
            self.issuers[index].validationMark = mark
            switch self.issuers[index].validation {
            case .keys(.remote(var remote)):
                if case .url = remote.source { remote.source = .url("https://h/k") }
                remote.headers = remote.headers.map { .init(name: $0.name, value: Secret("x")) }
                self.issuers[index].validation = .keys(.remote(remote))
            case .keys(.secret): self.issuers[index].validation = .keys(.secret(Secret("x")))
            case .keys: break
            case .introspection(var introspection):
                introspection.forgetSecrets()
                self.issuers[index].validation = .introspection(introspection)
            }
        }
        self.redis?.user = "x"
        self.redis?.password = Secret("x")
        self.redis?.seals = [Secret("x")]
    }
}

extension Configuration.Introspection {
    fileprivate mutating func forgetSecrets() {
        self.url = (try? URLReference(self.url).redacted.replacing("?[redacted]", with: "")) ?? ""
        switch self.credentials {
        case .bearer: self.credentials = .bearer(Secret("x"))
        case .basic(let id, _): self.credentials = .basic(id: id, Secret("x"))
        case .form(let id, _): self.credentials = .form(id: id, Secret("x"))
        }
    }
}

extension JSONValue {
    /// The same as YAML would be read: YAML is a superset of JSON.
    fileprivate var node: ConfigurationNode {
        let mark = Mark(line: 1, column: 1)
        switch self {
        case .null: return .scalar("null", style: .plain, mark: mark)
        case .bool(let bool): return .scalar("\(bool)", style: .plain, mark: mark)
        case .number(_, let text): return .scalar(text, style: .plain, mark: mark)
        case .string(let text): return .scalar(text, style: .quoted, mark: mark)
        case .array(let items): return .sequence(items.map(\.node), mark: mark)
        case .object(let members):
            return .mapping(
                members.map { .init(key: .scalar($0.name, style: .quoted, mark: mark), value: $0.value.node) },
                mark: mark)
        }
    }
}

extension String {
    /// Every occurrence of a text replaced.
    fileprivate func replacing(_ text: String, with other: String) -> String {
        self.split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }
}

import Testing

@testable import PosternIssuer

@Suite struct PostgresURLTests {
    private static let password = "s3cret"

    @Test(
        "It is shown without user and password",
        arguments: [
            ("postgres://u:s3cret@db.example:5433/issuer?sslmode=verify-full", "postgres://db.example:5433/issuer"),
            ("postgresql://u:s3cret@[::1]/issuer", "postgres://::1/issuer"),
            ("postgres://u@a:1,b:2/issuer?target_session_attrs=read-write", "postgres://a,b:1,2/issuer"),
            ("postgres:///issuer?host=/run/postgresql&user=u&password=s3cret", "postgres:///run/postgresql/issuer"),
        ])
    func shown(_ text: String, _ description: String) throws {
        let url = try PostgresURL(text)
        #expect(url.description == description)
        for shown in ["\(url)", String(reflecting: url), "\(StoreLocation.postgres(url))"] {
            #expect(!shown.contains(Self.password))
        }
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains(Self.password))
        #expect(url.parameters.contains { $0 == ("dbname", text) })
    }

    @Test(
        "What is wrong is said without the password",
        arguments: [
            ("postgres:x", "begins with postgres://"), ("mysql://u:s3cret@h/d", "begins with postgres://"),
            ("postgres://u:s3cret@h", "the database is missing"),
            ("postgres://u:s3cret@h/", "the database is missing"),
            ("postgres://u:s3cret@x@h/d", "percent-encoded"), ("postgres://u:s3cret/x@h/d", "percent-encoded"),
            ("postgres://u:s3cret#x@h/d", "percent-encoded"), ("postgres://u:s3cret?x@h/d", "percent-encoded"),
            ("postgres://u:s3cret x@h/d", "percent-encoded"), ("postgres://u:s3cret%@h/d", "libpq cannot read it"),
            ("postgres://u:s3cret@h/d?s3cret=1", "libpq cannot read it"),
            ("postgres://u:s3cret@h:0/d", "the port is a number"), ("postgres://u:s3cret@h:70000/d", "the port"),
            ("postgres://u:s3cret@h/d?sslmode=s3cret", "sslmode is one of allow, disable"),
        ])
    func problems(_ text: String, _ sentence: String) {
        let problem = #expect(throws: PostgresURL.Problem.self) { try PostgresURL(text) }
        #expect(problem?.message.contains(sentence) == true)
        #expect(problem?.message.contains(Self.password) == false)
    }

    private func resolve(_ environment: [String: String]) throws -> StoreConfiguration {
        var variables = ["POSTERN_ISSUER_DEV": "1"]
        for (name, value) in environment { variables["POSTERN_ISSUER_" + name] = value }
        return try IssuerConfiguration.resolve(IssuerOptions(), IssuerEnvironment(variables)).store
    }

    @Test("The password may stand in the environment, the key in the working directory")
    func options() throws {
        let store = try self.resolve(["STORE": "postgres://u@h/d", "STORE_PASSWORD": "s3cret/@%"])
        #expect(store.location == .postgres(try PostgresURL("postgres://u@h/d", password: "s3cret/@%")))
        #expect(store.keySource == .file("postern-issuer.key"))
        #expect(!"\(store)".contains(Self.password))
        #expect(
            try PostgresURL("postgres://u@h/d", password: "p").parameters.last.map { $0 == ("password", "p") } == true)
        #expect(
            try self.resolve(["STORE": "postgresql://u@h/d", "KEY_FILE": "k"]).keySource == .file("k"))
    }

    @Test(
        "A password twice, or for nothing, is a mistake",
        arguments: [
            ("postgres://u:p@h/d", "--store: it has a password already: unset POSTERN_ISSUER_STORE_PASSWORD"),
            ("sqlite:s", "POSTERN_ISSUER_STORE_PASSWORD does nothing without --store postgres://; unset it"),
        ])
    func passwords(_ store: String, _ sentence: String) {
        let errors = #expect(throws: ConfigurationErrors.self) {
            try self.resolve(["STORE": store, "STORE_PASSWORD": "x"])
        }
        #expect(errors?.problems == [sentence])
    }
}

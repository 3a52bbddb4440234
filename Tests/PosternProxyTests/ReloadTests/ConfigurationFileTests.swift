import PosternCore
import Testing

@testable import PosternProxy

@Suite struct ConfigurationFileTests {
    private let folder: TemporaryFolder
    private let minimal = "version: 1\nupstream: http://127.0.0.1:8001\nroutes:\n  GET /: public\n"

    init() throws {
        self.folder = try TemporaryFolder()
    }

    @Test func goodFileIsLoaded() throws {
        try self.folder.write("proxy.yaml", self.minimal)
        let loaded = try ConfigurationFile.load(path: self.folder.path("proxy.yaml")).get()
        #expect(loaded.configuration.upstream.url == "http://127.0.0.1:8001")
        #expect(loaded.configuration.routes.map(\.pattern.text) == ["GET /"])
    }

    @Test func missingFileIsAnErrorAtItsFirstLine() {
        let path = self.folder.path("proxy.yaml")
        #expect(self.lines() == ["\(path):1:1: error: the file cannot be read: there is no file \(path)"])
    }

    @Test func folderIsNoFile() throws {
        try self.folder.makeFolder("proxy.yaml")
        let path = self.folder.path("proxy.yaml")
        #expect(self.lines() == ["\(path):1:1: error: the file cannot be read: \(path) is a folder"])
    }

    @Test func linkToNowhereIsAMissingFile() throws {
        try self.folder.link("proxy.yaml", to: "gone")
        #expect(self.lines().first?.contains("there is no file") == true)
    }

    @Test func fileOverTheLimitIsNotRead() throws {
        let path = self.folder.path("proxy.yaml")
        try self.folder.write("proxy.yaml", self.padded(to: ConfigurationFile.sizeLimit + 1))
        #expect(self.lines() == ["\(path):1:1: error: the file cannot be read: \(path) is larger than 1024 KiB"])
    }

    @Test func fileAtTheLimitIsRead() throws {
        try self.folder.write("proxy.yaml", self.padded(to: ConfigurationFile.sizeLimit))
        #expect(self.lines().isEmpty)
    }

    @Test func allErrorsOfAFileAreSaidInOrder() throws {
        try self.folder.write("proxy.yaml", "version: 1\nupstraem: x\nroutes:\n  GET /: nobody\n")
        #expect(self.lines().count { $0.contains(": error: ") } >= 2)
        #expect(self.lines() == self.lines().sorted())
    }

    // MARK: - Secret files

    @Test func secretFileIsFoundBesideTheConfiguration() throws {
        try self.folder.makeFolder("secrets")
        try self.folder.write("secrets/hmac", "0123456789abcdef0123456789abcdef\n")
        let loaded = try self.load(secret: "secrets/hmac")
        #expect(loaded.configuration.issuers.map(\.keys) == [.secret(Secret("0123456789abcdef0123456789abcdef"))])
    }

    @Test func absolutePathOfASecretFileIsTakenAsItIs() throws {
        try self.folder.write("hmac", "0123456789abcdef0123456789abcdef")
        let loaded = try self.load(secret: self.folder.path("hmac"))
        #expect(loaded.configuration.issuers.map(\.keys) == [.secret(Secret("0123456789abcdef0123456789abcdef"))])
    }

    @Test func missingSecretFileIsAnErrorThatNamesThePlaceItWasSoughtAt() throws {
        #expect(throws: ConfigurationProblems.self) { try self.load(secret: "secrets/hmac") }
        let line = try #require(self.lines().first)
        #expect(line.hasPrefix("\(self.folder.path("proxy.yaml")):7:"))
        #expect(line.contains("there is no file \(self.folder.path("secrets/hmac"))"))
    }

    @Test func secretFileOverTheLimitIsRefused() throws {
        try self.folder.write("hmac", String(repeating: "x", count: ConfigurationFile.sizeLimit + 1))
        #expect(throws: ConfigurationProblems.self) { try self.load(secret: "hmac") }
        #expect(self.lines().contains { $0.contains("larger than 1024 KiB") })
    }

    @Test(arguments: [
        ("proxy.yaml", "./absent"), ("/proxy.yaml", "/absent"), ("/a/proxy.yaml", "/a/absent"), ("a/b", "a/absent"),
    ])
    func relativeFileIsSoughtBesideTheConfiguration(row: (String, String)) {
        let environment = ConfigurationFile.environment(relativeTo: row.0)
        #expect(environment.file("absent") == .failure(.init(reason: "there is no file \(row.1)")))
    }

    // MARK: - Helpers

    private func load(secret: String) throws -> LoadedConfiguration {
        try self.folder.write(
            "proxy.yaml",
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers:
              one:
                issuer: https://one.test
                audiences: any
                keys: {secret: {file: \(secret)}}
                algorithms: [HS256]
            routes:
              GET /: public

            """)
        return try ConfigurationFile.load(path: self.folder.path("proxy.yaml")).get()
    }

    private func padded(to size: Int) -> String {
        let comment = "#" + String(repeating: "x", count: 98) + "\n"
        let text = self.minimal + String(repeating: comment, count: size / 100 + 1)
        return String(decoding: text.utf8.prefix(size - 1), as: UTF8.self) + "\n"
    }

    private func lines() -> [String] {
        let path = self.folder.path("proxy.yaml")
        guard case .failure(let problems) = ConfigurationFile.load(path: path) else { return [] }
        return problems.problems.map { $0.line(file: path) }
    }
}

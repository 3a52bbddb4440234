import Testing

@testable import PosternProxy

@Suite struct NamedFilesTests {
    @Test func everyFileThatALoadNamesIsWatched() throws {
        let folder = try TemporaryFolder()
        let text = """
            version: 1
            upstream: http://127.0.0.1:8001
            listen: {address: "127.0.0.1:1", tls: {certificate: a.pem, key: a.key}}
            routes: {GET /: public}

            """
        try folder.write("proxy.yaml", text)
        try folder.write("a.key", "no key")
        let files = NamedFiles()
        let result = ConfigurationFile.loadUsable(path: folder.path("proxy.yaml"), noting: files)
        #expect(throws: (any Error).self) { try result.get() }
        #expect(files.haveChanged() == false)
        try folder.write("a.pem", "came into being")
        #expect(files.haveChanged() == true)
        #expect(files.haveChanged() == false)
        try folder.write("a.key", "another one")
        #expect(files.haveChanged() == true)
        try folder.write("b.key", "not named")
        try folder.write("proxy.yaml", "watched by others")
        #expect(files.haveChanged() == false)
        try folder.remove("a.key")
        #expect(files.haveChanged() == false)
    }

    @Test func changeWhileItIsReadCounts() throws {
        let folder = try TemporaryFolder()
        try folder.write("a", "1")
        let files = NamedFiles()
        files.note(folder.path("a"))
        try folder.write("a", "22")
        files.note(folder.path("a"))
        #expect(files.haveChanged() == true)
    }
}

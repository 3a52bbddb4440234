import Testing

@testable import PosternCore
@testable import PosternProxy

@Suite struct TLSFileWatchTests {
    private static func file(_ path: String, _ content: String) -> Configuration.TLSFile {
        Configuration.TLSFile(path: path, content: Secret(content), mark: Mark(line: 1, column: 1), key: "")
    }

    @Test func changeOfOneOfThemIsNoticedOnce() throws {
        let folder = try TemporaryFolder()
        let names = ["a.pem", "a.key"]
        for name in names { try folder.write(name, "1") }
        var watch = TLSFileWatch(beside: folder.path("proxy.yaml"))
        watch.follow(names.map { Self.file($0, "1") })
        #expect(watch.hasChanged() == false)
        for name in names {
            try folder.write(name, "another")
            #expect(watch.hasChanged() == true)
            #expect(watch.hasChanged() == false)
        }
    }

    @Test func changeBetweenReadingAndTheFirstLookIsNoticed() throws {
        let folder = try TemporaryFolder()
        try folder.write("a.pem", "2")
        var watch = TLSFileWatch(beside: folder.path("proxy.yaml"))
        watch.follow([Self.file("a.pem", "1")])
        #expect(watch.hasChanged() == true)
        #expect(watch.hasChanged() == false)
    }

    @Test func whatIsNotFollowedAnyMoreDoesNotCount() throws {
        let folder = try TemporaryFolder()
        try folder.write("a.pem", "1")
        try folder.write("b.pem", "1")
        var watch = TLSFileWatch(beside: folder.path("proxy.yaml"))
        watch.follow([Self.file("a.pem", "1"), Self.file("b.pem", "1")])
        watch.follow([Self.file("b.pem", "1")])
        try folder.write("a.pem", "another")
        #expect(watch.hasChanged() == false)
        try folder.write("b.pem", "another")
        #expect(watch.hasChanged() == true)
    }
}

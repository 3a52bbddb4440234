import Testing

@testable import PosternProxy

@Suite struct FileWatchTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        try self.folder.write("proxy.yaml", "one")
    }

    @Test func fileThatIsLeftAloneDoesNotChange() {
        let changes = self.changes([{}, {}, {}])
        #expect(changes == [false, false, false])
    }

    @Test func fileThatIsWrittenInPlaceChangesOnce() {
        let changes = self.changes([{ try self.folder.write("proxy.yaml", "another") }, {}])
        #expect(changes == [true, false])
    }

    @Test func fileOfTheSameSizeThatIsWrittenLaterChanges() {
        let changes = self.changes([{ try self.folder.write("proxy.yaml", "two", time: 1_800_000_001) }, {}])
        #expect(changes == [true, false])
    }

    @Test func fileThatIsReplacedByOneOfTheSameSizeAndTimeChanges() {
        let changes = self.changes([
            {
                try self.folder.write("new", "two")
                try self.folder.rename("new", over: "proxy.yaml")
            }, {},
        ])
        #expect(changes == [true, false])
    }

    /// What kubelet does with a mounted ConfigMap: `proxy.yaml` leads to `..data/proxy.yaml`, and `..data` is swapped.
    @Test func linkOnTheWayThatIsSwappedIsAChange() throws {
        for (version, text) in [("..1", "one"), ("..2", "two")] {
            try self.folder.makeFolder(version)
            try self.folder.write("\(version)/proxy.yaml", text)
        }
        try self.folder.remove("proxy.yaml")
        try self.folder.link("..data", to: "..1")
        try self.folder.link("proxy.yaml", to: "..data/proxy.yaml")
        let changes = self.changes([
            {},
            {
                try self.folder.link("..data_tmp", to: "..2")
                try self.folder.rename("..data_tmp", over: "..data")
            },
            { try self.folder.remove("..1") },
        ])
        #expect(changes == [false, true, false])
    }

    @Test func fileThatIsMissingForAMomentAndComesBackAsItWasDoesNotChange() {
        let changes = self.changes([
            { try self.folder.rename("proxy.yaml", over: "aside") }, {},
            { try self.folder.rename("aside", over: "proxy.yaml") },
        ])
        #expect(changes == [false, false, false])
    }

    @Test func fileThatIsMissingForAMomentAndComesBackAnotherChanges() {
        let changes = self.changes([
            { try self.folder.remove("proxy.yaml") }, {}, { try self.folder.write("proxy.yaml", "other") }, {},
        ])
        #expect(changes == [false, false, true, false])
    }

    @Test func fileThatAppearsChanges() throws {
        try self.folder.remove("proxy.yaml")
        let changes = self.changes([{}, { try self.folder.write("proxy.yaml", "one") }, {}])
        #expect(changes == [false, true, false])
    }

    @Test func linkThatLeadsNowhereForAMomentIsNoChange() throws {
        try self.folder.write("real", "one")
        try self.folder.remove("proxy.yaml")
        try self.folder.link("proxy.yaml", to: "real")
        let changes = self.changes([
            { try self.folder.rename("real", over: "aside") },
            { try self.folder.rename("aside", over: "real") },
        ])
        #expect(changes == [false, false])
    }

    /// What the watch says after each step.
    private func changes(_ steps: [() throws -> Void]) -> [Bool] {
        var watch = FileWatch(path: self.folder.path("proxy.yaml"))
        return steps.map { step in
            #expect(throws: Never.self) { try step() }
            return watch.hasChanged()
        }
    }
}

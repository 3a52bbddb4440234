import Foundation

/// A folder for one test; it goes with its value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        self.path = "/tmp/postern-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func path(_ name: String) -> String { "\(self.path)/\(name)" }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self.path(name), withIntermediateDirectories: false)
    }

    /// Writes into the file that is there, or makes one. The time counts in whole seconds, so that no test depends on
    /// how finely the file system keeps it.
    func write(_ name: String, _ text: String, time: TimeInterval = 1_800_000_000) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self.path(name)))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: time)], ofItemAtPath: self.path(name))
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self.path(name), withDestinationPath: target)
    }

    /// Puts `name` in the place of `target` in one step.
    func rename(_ name: String, over target: String) throws {
        guard Foundation.rename(self.path(name), self.path(target)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: self.path(name)) }
}

import Synchronization

/// The files that a configuration names, watched since the moment before they were read. A configuration that was refused
/// for one of them is good once that file is: nobody should have to touch the configuration for it.
final class NamedFiles: Sendable {
    private let watches = Mutex<[String: FileWatch]>([:])

    /// A file is about to be read.
    func note(_ path: String) {
        self.watches.withLock { $0[path] = $0[path] ?? FileWatch(path: path) }
    }

    /// Whether one of them is another one than at the last call, or has come into being.
    func haveChanged() -> Bool {
        self.watches.withLock { watches in
            var changed = false
            for path in watches.keys where watches[path]?.hasChanged() == true { changed = true }
            return changed
        }
    }
}

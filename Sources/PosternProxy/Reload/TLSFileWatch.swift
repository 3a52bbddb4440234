import PosternCore

/// Notices that certificates or private keys of the configuration in force became others.
struct TLSFileWatch {
    /// The configuration beside which relative paths begin.
    private let path: String
    private var watches: [String: FileWatch] = [:]
    /// Whether a file had changed between its reading and the first look at it.
    private var missedOne = false

    init(beside path: String) {
        self.path = path
    }

    /// Watches these files and no others.
    mutating func follow(_ files: [Configuration.TLSFile]) {
        var watches: [String: FileWatch] = [:]
        for file in files where watches[file.path] == nil {
            if let known = self.watches[file.path] {
                watches[file.path] = known
                continue
            }
            watches[file.path] = FileWatch(path: ConfigurationFile.place(of: file.path, beside: self.path))
            if case .success(let bytes) = ConfigurationFile.content(of: file.path, beside: self.path),
                bytes != file.content.bytes
            {
                self.missedOne = true
            }
        }
        self.watches = watches
    }

    /// Whether one of the files is another one than at the last call. One that is missing for a moment is not.
    mutating func hasChanged() -> Bool {
        var changed = self.missedOne
        self.missedOne = false
        for path in self.watches.keys where self.watches[path]?.hasChanged() == true { changed = true }
        return changed
    }
}

import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How many processors this process may use: so many event loops are made where nobody says another number.
public enum UsableProcessors {
    /// The smallest of what the machine has, what a cgroup's quota or set of processors allows, and what the process is
    /// pinned to; at least one.
    public static var count: Int {
        max(1, min(System.coreCount, Self.affinity ?? .max))
    }

    /// Processors that the process is pinned to, as `taskset` and container runtimes do; nil where that is not known.
    private static var affinity: Int? {
        guard let file = fopen("/proc/self/status", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if let count = Self.allowed(text) { return count }
        }
        return nil
    }

    /// The number of processors in a line like `Cpus_allowed:  ff,ffffffff`, a mask; nil for any other line.
    static func allowed(_ line: String) -> Int? {
        let fields = line.split { $0 == " " || $0 == "\t" || $0 == "\n" }
        guard fields.count == 2, fields[0] == "Cpus_allowed:" else { return nil }
        var count = 0
        for digit in fields[1] where digit != "," {
            guard let value = digit.hexDigitValue else { return nil }
            count += value.nonzeroBitCount
        }
        return count > 0 ? count : nil
    }
}

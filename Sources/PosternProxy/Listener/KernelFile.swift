#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Files in which the kernel says something, line by line (proc(5)).
enum KernelFile {
    /// Bytes of a line that are read at once; longer ones come in parts.
    private static let lineSize = 4096

    /// Calls `body` with each line until it returns false. Nothing happens where there is no such file.
    static func forEachLine(of path: String, _ body: (String) -> Bool) {
        #if os(Linux)
            guard let file = fopen(path, "r") else { return }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: Self.lineSize)
            while fgets(&line, Int32(line.count), file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                guard body(text) else { return }
            }
        #endif
    }
}

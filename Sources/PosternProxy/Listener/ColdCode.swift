#if os(Linux)
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif
#endif

/// Gives the memory of code back that runs rarely. Linking, reading the configuration, fetching keys touch code all over the
/// program, and the kernel maps 64 KiB around every page that is touched: without this, several times of what serving needs
/// stays resident for good. What serving needs comes back with the next requests and stays until the next release.
enum ColdCode {
    /// Calls `release` a moment from now, when what is going on is over.
    static func releaseSoon() {
        Task {
            try? await Task.sleep(for: .milliseconds(500))
            Self.release()
        }
    }

    /// Unmaps the pages of program code that are resident; what is needed again comes back from the page cache with the
    /// next call. Only mappings that are readable and executable and were never written: nothing can be lost.
    static func release() {
        #if os(Linux)
            KernelFile.forEachLine(of: "/proc/self/maps") { line in
                // The address is this process's own, as the kernel said a moment ago; code is never unloaded.
                if let range = Self.codeRange(line),
                    let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound)
                {
                    unsafe madvise(start, Int(range.count), MADV_DONTNEED)
                }
                return true
            }
        #endif
    }

    /// The addresses of a line like `55d0…-55d1… r-xp 00000000 fe:00 5360 /usr/bin/postern`; nil for anything but code
    /// from a file.
    static func codeRange(_ line: String) -> Range<UInt>? {
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
        let bounds = fields[0].split(separator: "-")
        guard bounds.count == 2, let start = UInt(bounds[0], radix: 16), let end = UInt(bounds[1], radix: 16),
            start < end
        else { return nil }
        return start..<end
    }
}

import Foundation

/// What this process uses of the machine.
struct ProcessFigures: Sendable {
    /// User and system time since the start.
    var cpuSeconds: Double
    /// 0 where the system does not say it.
    var residentBytes: UInt64

    static var current: ProcessFigures {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        let times = [usage.ru_utime, usage.ru_stime]
        let seconds = times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000 }
        return ProcessFigures(cpuSeconds: seconds, residentBytes: Self.residentBytes)
    }

    /// The second number of Linux's `statm`, in pages.
    private static var residentBytes: UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ UInt64($0) })
        else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}

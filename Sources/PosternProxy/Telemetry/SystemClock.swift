#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The system's wall clock, for dates in tokens and logs. Durations use the monotonic clock of the event loops.
enum SystemClock {
    /// Unix seconds, read without a system call where the kernel offers that.
    static var unixTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
    }

    /// Nanoseconds of a clock that only goes on.
    static var monotonic: Int64 { Self.nanoseconds(CLOCK_MONOTONIC) }

    /// Nanoseconds of processor time that this process has used.
    static var processorTime: Int64 { Self.nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

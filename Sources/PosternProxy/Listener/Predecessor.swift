#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The running process whose place this one takes (`postern run --take-over PID`): it shares its addresses until this one is
/// ready, is told then (SIGUSR2), and drains.
public struct Predecessor: Sendable {
    /// Why a process cannot be taken over, in a sentence.
    public struct Problem: Error, Sendable {
        public let description: String
    }

    let process: Int32

    /// - Throws: where there is no such process, or it would not understand.
    public init(process: Int32) throws(Problem) {
        guard process > 0, process != getpid() else { throw Problem(description: "\(process) is no other process") }
        guard kill(process, 0) == 0 else {
            throw Problem(
                description: errno == ESRCH
                    ? "there is no process \(process) to take over"
                    : "this user may not take over process \(process)")
        }
        // For who does not know the signal it would be the end, with everything that is in flight.
        guard Self.catchesSignal(process) else {
            throw Problem(
                description: "process \(process) is no postern that runs: it does not understand to be taken over")
        }
        self.process = process
    }

    /// Whether it still runs.
    var isThere: Bool { kill(self.process, 0) == 0 }

    /// Tells it that this process accepts connections at its addresses. It may have ended meanwhile, and its number may be
    /// another process's.
    func giveWay() {
        if Self.catchesSignal(self.process) { kill(self.process, SIGUSR2) }
    }

    private static func catchesSignal(_ process: Int32) -> Bool {
        #if os(Linux)
            var answer: Bool?
            KernelFile.forEachLine(of: "/proc/\(process)/status") { line in
                answer = Self.catchesSignal(line: line)
                return answer == nil
            }
            return answer ?? false
        #else
            return true
        #endif
    }

    /// Whether SIGUSR2 is in a line like `SigCgt:  0000000100004803`, the signals that a process catches; nil for any other
    /// line.
    static func catchesSignal(line: String) -> Bool? {
        let fields = line.split { $0 == " " || $0 == "\t" || $0 == "\n" }
        guard fields.count == 2, fields[0] == "SigCgt:", let mask = UInt64(fields[1], radix: 16) else { return nil }
        return mask >> UInt64(SIGUSR2 - 1) & 1 == 1
    }
}

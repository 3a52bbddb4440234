/// The sockets that listen on this machine, or in this container, as the kernel lists them.
enum ListeningSockets {
    /// How many listen on a TCP port, at whichever address; zero where that cannot be found out.
    static func count(port: Int) -> Int {
        var count = 0
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            KernelFile.forEachLine(of: path) { line in
                if Self.listens(line: line, port: port) { count += 1 }
                return true
            }
        }
        return count
    }

    /// Whether a line like `0: 0100007F:1F90 00000000:0000 0A …` (number, local and remote address, state) is about a socket
    /// that listens on `port`. Numbers are hexadecimal; 0A is TCP_LISTEN.
    static func listens(line: String, port: Int) -> Bool {
        let fields = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: true)
        guard fields.count > 3, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":") else { return false }
        return Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port
    }
}

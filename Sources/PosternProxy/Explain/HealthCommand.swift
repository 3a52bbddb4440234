import PosternCore

/// `postern health`: asks the running process, for a container's HEALTHCHECK.
public enum HealthCommand {
    /// Milliseconds for everything.
    static let bound: Int64 = 2000

    /// - Parameter ready: whether to ask for readiness instead of liveness.
    public static func run(path: String, ready: Bool) -> CommandOutput {
        switch AdminAddress.find(path: path) {
        case .failure(let problem):
            return problem.output
        case .success(let admin):
            // The status listener answers the same questions, where the admin address cannot be reached.
            let addresses = [admin.address] + (admin.status.map { [$0] } ?? [])
            return Self.ask(addresses, ready: ready)
        }
    }

    private static func ask(_ addresses: [Address], ready: Bool) -> CommandOutput {
        let deadline = MonotonicClock.milliseconds + Self.bound
        let target = ready ? "/readyz" : "/healthz"
        var failures: [String] = []
        for address in addresses.map(\.reachable) {
            switch PlainHTTP.get(target, at: address, deadline: deadline) {
            case .success(let reply):
                return Self.output(reply, address, ready: ready)
            case .failure(let failure):
                failures.append("\(address): \(failure.reason)")
            }
        }
        return CommandOutput(
            stderr: TerminalText.safe("not healthy: \(failures.joined(separator: "; "))") + "\n",
            exitCode: ExitStatus.negative)
    }

    static func output(_ reply: PlainHTTP.Reply, _ address: Address, ready: Bool) -> CommandOutput {
        let word = ready ? "ready" : "healthy"
        if reply.status == 200 { return CommandOutput(stdout: "\(word) (\(address))\n") }
        let body = reply.body.split(separator: "\n").first.map { " \($0.prefix(500))" } ?? ""
        return CommandOutput(
            stderr: TerminalText.safe("not \(word) (\(address)): \(reply.status)\(body)") + "\n",
            exitCode: ExitStatus.negative)
    }
}

extension Address {
    /// The address as a client on this machine reaches it: "all addresses" is none to connect to.
    var reachable: Address {
        switch self {
        case .host("0.0.0.0", let port): .host("127.0.0.1", port: port)
        case .host("::", let port): .host("::1", port: port)
        default: self
        }
    }
}

import PosternCore

/// Reading and composing heads.
let headOperations = [
    Operation("request-head", "request head: scan and read, 8 fields, 1 KB token") {
        let bytes = Samples.request()
        var scanner = HeadScanner()
        var head = RequestHead()
        return { count in
            var sum = 0
            for _ in 0..<count {
                scanner.reset()
                guard case .complete(let end) = scanner.scan(bytes.span.bytes, limits: Samples.limits) else {
                    throw WrongResult("the request head is not complete")
                }
                try head.read(bytes.span.bytes, scanner, end: end, limits: Samples.limits)
                sum &+= head.fields.count
            }
            return sum
        }
    },
    Operation("response-head", "response head: scan and read, 7 fields") {
        let bytes = Samples.response
        var scanner = HeadScanner(skipsEmptyLine: false)
        var head = ResponseHead()
        return { count in
            var sum = 0
            for _ in 0..<count {
                scanner.reset()
                guard case .complete(let end) = scanner.scan(bytes.span.bytes, limits: Samples.limits) else {
                    throw WrongResult("the response head is not complete")
                }
                try head.read(bytes.span.bytes, scanner, end: end, toHead: false)
                sum &+= head.fields.count
            }
            return sum
        }
    },
    Operation("upstream-head", "upstream head: strip, insert identity, forwarding lines, ids") {
        let bytes = Samples.request()
        let head = try Samples.read(bytes)
        let target = try CheckedTarget.check(bytes.span.bytes, head.target, options: TargetOptions())
        let gate = try Samples.gate()
        let token = try Samples.verifiedToken(gate)
        let client = ClientFacts(address: Array("10.0.0.7".utf8), scheme: "http")
        guard let permit = gate.policy.permitOpen(route: 0) else { throw WrongResult("route 0 is not open") }
        var identifiers = Identifiers(random: IdentifierSource(seed: 1, 2))
        var output: [UInt8] = []
        return { count in
            var sum = 0
            for _ in 0..<count {
                output.removeAll(keepingCapacity: true)
                identifiers.assign(bytes.span.bytes, head)
                let spoofed = UpstreamHead.compose(
                    bytes.span.bytes, head, target, permit: permit, token: token, identity: gate.identity,
                    forwardToken: false, client: client, identifiers: &identifiers, into: &output)
                if spoofed { throw WrongResult("the request is taken for one that speaks of identity") }
                sum &+= output.count
            }
            return sum
        }
    },
    Operation("downstream-head", "downstream head: hop-by-hop fields removed") {
        let bytes = Samples.response
        var scanner = HeadScanner(skipsEmptyLine: false)
        guard case .complete(let end) = scanner.scan(bytes.span.bytes, limits: Samples.limits) else {
            throw WrongResult("the response head is not complete")
        }
        var head = ResponseHead()
        try head.read(bytes.span.bytes, scanner, end: end, toHead: false)
        let read = head
        let client = DownstreamHead.Client(minorVersion: 1, close: false)
        var output: [UInt8] = []
        return { count in
            var sum = 0
            for _ in 0..<count {
                output.removeAll(keepingCapacity: true)
                let framing = DownstreamHead.framing(of: read, minorVersion: 1)
                DownstreamHead.compose(bytes.span.bytes, read, client: client, framing: framing, into: &output)
                sum &+= output.count
            }
            return sum
        }
    },
]

import PosternCore

/// Checking a target and finding its route, in tables of very different size.
let routeOperations = [10, 100, 1_000, 10_000].map { size in
    Operation("route-\(size)", "target check and route match, \(size) routes") {
        let patterns = try (0..<size).map {
            try RoutePattern.parse(RouteSamples.key($0), options: TargetOptions())
        }
        let table = try RouteTable(patterns)
        // The same shapes and lengths whatever the size: what differs is the table alone.
        let requests = (0..<16).map { RouteSamples.request($0, size: size) }
        var captures = Captures()
        return { count in
            var sum = 0
            for i in 0..<count {
                let request = requests[i & 15]
                let bytes = request.bytes.span.bytes
                let target = try CheckedTarget.check(bytes, request.target, options: TargetOptions())
                let match = table.match(
                    bytes, path: target.path, hasEscapes: target.hasEscapes, method: request.method,
                    methodToken: request.methodToken, captures: &captures)
                guard match == .route(request.route) else { throw WrongResult("\(match), not \(request.route)") }
                sum &+= captures.count
            }
            return sum
        }
    }
}

/// Routes of four shapes in turn, and requests for them.
private enum RouteSamples {
    struct Request {
        var bytes: [UInt8]
        var method: Method
        var methodToken: ByteRange
        var target: ByteRange
        var route: Int
    }

    private static func service(_ index: Int) -> String {
        let digits = String(index / 4)
        return "service" + String(repeating: "0", count: 5 - digits.count) + digits
    }

    static func key(_ index: Int) -> String {
        let service = self.service(index)
        switch index % 4 {
        case 0: return "GET /api/v1/\(service)/items"
        case 1: return "GET /api/v1/\(service)/items/{item_id}"
        case 2: return "POST /api/v1/\(service)/users/{user_id}/orders/{order_id}"
        default: return "GET /api/v1/\(service)/files/{rest...}"
        }
    }

    /// The request number `number` of sixteen, which are for routes all over a table of `size`.
    static func request(_ number: Int, size: Int) -> Request {
        let route = (size / 4) * (number / 4) / 4 * 4 + number % 4
        let service = self.service(route)
        let method: Method = number % 4 == 2 ? .post : .get
        let path =
            switch number % 4 {
            case 0: "/api/v1/\(service)/items"
            case 1: "/api/v1/\(service)/items/0f8fad5b-d9cb-469f"
            case 2: "/api/v1/\(service)/users/5f2b7a52/orders/10442"
            default: "/api/v1/\(service)/files/2026/01/report.pdf"
            }
        let token = method == .post ? "POST" : "GET"
        let bytes = Array("\(token) \(path) HTTP/1.1".utf8)
        let start = token.utf8.count + 1
        return Request(
            bytes: bytes, method: method, methodToken: ByteRange(0, start - 1),
            target: ByteRange(start, start + path.utf8.count), route: route)
    }
}

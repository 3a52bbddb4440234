import PosternCore

/// An exchange that was led to a state; what happens on the way is asserted in the tests of each step.
extension Exchange {
    /// A head was read.
    static func head(
        keepAlive: Bool = true, hasBody: Bool = false, expectsContinue: Bool = false, mayRepeat: Bool = true
    ) -> Exchange {
        var exchange = Exchange()
        exchange.received()
        exchange.headRead(
            keepAlive: keepAlive, hasBody: hasBody, expectsContinue: expectsContinue, mayRepeat: mayRepeat)
        return exchange
    }

    /// The token's verdict waits.
    static func verifying(keepAlive: Bool = true, hasBody: Bool = false) -> Exchange {
        var exchange = Exchange.head(keepAlive: keepAlive, hasBody: hasBody)
        exchange.verificationStarted()
        return exchange
    }

    /// The request waits for an upstream connection.
    static func acquiring(
        keepAlive: Bool = true, hasBody: Bool = false, expectsContinue: Bool = false, mayRepeat: Bool = true,
        retries: Int = 1
    ) -> Exchange {
        var exchange = Exchange.head(
            keepAlive: keepAlive, hasBody: hasBody, expectsContinue: expectsContinue, mayRepeat: mayRepeat)
        _ = exchange.permitted(retries: retries)
        return exchange
    }

    /// The head went to the upstream.
    static func awaiting(
        keepAlive: Bool = true, hasBody: Bool = false, mayRepeat: Bool = true, retries: Int = 1, reused: Bool = true
    ) -> Exchange {
        var exchange = Exchange.acquiring(
            keepAlive: keepAlive, hasBody: hasBody, mayRepeat: mayRepeat, retries: retries)
        _ = exchange.upstreamReady(reused: reused)
        return exchange
    }

    /// The response head was passed on.
    static func streaming(keepAlive: Bool = true, hasBody: Bool = false, endsWithConnection: Bool = false) -> Exchange {
        var exchange = Exchange.awaiting(keepAlive: keepAlive, hasBody: hasBody)
        _ = exchange.responseHead(endsWithConnection: endsWithConnection)
        return exchange
    }

    /// The last answer is written, the client may go on sending.
    static func lingering() -> Exchange {
        var exchange = Exchange()
        exchange.received()
        _ = exchange.headRefused(.badRequest)
        return exchange
    }

    /// Nothing more happens.
    static func ended() -> Exchange {
        var exchange = Exchange()
        _ = exchange.deadlinePassed()
        return exchange
    }
}

/// A state that an exchange can be in, with a name for tables.
struct Situation: Sendable, CustomStringConvertible {
    let description: String
    let exchange: Exchange

    init(_ description: String, _ exchange: Exchange) {
        self.description = description
        self.exchange = exchange
    }
}

import NIOCore
import NIOSSL

/// Asks sentinels, one after the other, where the master is. The first that knows it is believed; whoever is found there
/// still has to say itself that it is a master.
final class SentinelQuery {
    private let sentinels: [RedisAddress]
    private let master: String
    private let eventLoop: any EventLoop
    private let times: RedisTimes
    private let tls: NIOSSLContext?
    private var next: Int
    private var left: Int
    private var reason = "no sentinel is configured"

    /// - Parameter from: Which sentinel is asked first, counted round.
    init(
        sentinels: [RedisAddress], master: String, from: Int, eventLoop: any EventLoop, times: RedisTimes,
        tls: NIOSSLContext?
    ) {
        self.sentinels = sentinels
        self.master = master
        self.eventLoop = eventLoop
        self.times = times
        self.tls = tls
        self.next = from
        self.left = sentinels.count
    }

    /// - Parameter then: Called once.
    func run(then: @escaping (Result<RedisAddress, RedisTrouble>) -> Void) {
        guard self.left > 0 else {
            return then(.failure(RedisTrouble(failure: .unavailable, reason: self.reason)))
        }
        let sentinel = self.sentinels[self.next % self.sentinels.count]
        self.left -= 1
        self.next &+= 1
        let command = [Array("SENTINEL".utf8), Array("get-master-addr-by-name".utf8), Array(self.master.utf8)]
        RedisConnector.ask(
            sentinel, command, on: self.eventLoop, times: self.times, tls: self.tls, greeting: .none
        ) { result in
            switch result {
            case .success(let reply):
                if let address = self.address(in: reply) { return then(.success(address)) }
                self.reason = "\(sentinel): the sentinel does not know the master '\(self.master)'"
            case .failure(let trouble):
                self.reason = "sentinel \(trouble.reason)"
            }
            self.run(then: then)
        }
    }

    private func address(in reply: RedisReply) -> RedisAddress? {
        guard let elements = reply.array, elements.count == 2, let host = elements[0].text, !host.isEmpty,
            let port = elements[1].text.flatMap({ Int($0) }), (1...65535).contains(port)
        else { return nil }
        return RedisAddress(host: host, port: port)
    }
}

extension RedisConnector {
    /// Connects, sends one command and closes again.
    ///
    /// - Parameter then: Called once.
    static func ask(
        _ address: RedisAddress, _ command: [[UInt8]], on eventLoop: any EventLoop, times: RedisTimes,
        tls: NIOSSLContext?, greeting: RedisGreeting, then: @escaping (Result<RedisReply, RedisTrouble>) -> Void
    ) {
        Self.open(address, on: eventLoop, times: times, tls: tls, greeting: greeting) { result in
            let connection: RedisConnection
            switch result {
            case .success(let opened): connection = opened
            case .failure(let trouble): return then(.failure(trouble))
            }
            connection.send(command) { result in
                connection.close()
                then(result.mapError { RedisTrouble(failure: $0, reason: "\(address): \(Self.text($0))") })
            }
        }
    }

    private static func text(_ failure: RedisFailure) -> String {
        switch failure {
        case .unavailable, .closed: "the peer closed the connection"
        case .timedOut: "no answer in time"
        case .protocolError: "what came is no reply, or is over the limits"
        }
    }
}

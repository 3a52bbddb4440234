import Logging
import NIOCore
import NIOPosix
import PosternCore
import PosternCrypto
import Synchronization
import Testing

@testable import PosternProxy

/// A key service with an issuer whose key server a test is.
final class KeyScene: Sendable {
    let server: KeyServer
    let service: KeyService
    let log: LogPipe
    let sink: LogSink
    private let publications: AsyncStream<KeyService.Publication>
    private let published: Published

    private final class Published: Sendable {
        let count = Atomic<Int>(0)
    }

    init() async throws {
        let (publications, continuation) = AsyncStream.makeStream(of: KeyService.Publication.self)
        let published = Published()
        let log = try LogPipe()
        let sink = LogSink(descriptor: log.writeEnd)
        let logger = Logger(label: "test") { _ in JSONLogHandler(sink: sink, threshold: JSONLogHandler.Threshold()) }
        self.server = try await KeyServer()
        self.log = log
        self.sink = sink
        self.publications = publications
        self.published = published
        self.service = KeyService(group: MultiThreadedEventLoopGroup.singleton, logger: logger) { publication in
            published.count.add(1, ordering: .sequentiallyConsistent)
            continuation.yield(publication)
        }
    }

    /// How many key sets were handed to the event loops so far.
    var publicationCount: Int { self.published.count.load(ordering: .sequentiallyConsistent) }

    /// The next key set that was handed to the event loops.
    func publication() async throws -> KeyService.Publication {
        for await publication in self.publications { return publication }
        throw KeyServer.Ended()
    }

    /// A configuration with one issuer for each path of the server.
    func snapshot(_ paths: [String] = ["/jwks"], timeout: String = "50s") throws -> Snapshot {
        let issuers = paths.enumerated().map { index, path in
            """
              issuer\(index):
                issuer: https://issuer\(index).test
                audiences: any
                keys: {url: "\(self.server.url)\(path)", timeout: \(timeout), headers: {X-Api-Key: sesame}}

            """
        }
        return try Snapshots.make(
            "version: 1\nupstream: http://127.0.0.1:8001\nroutes: {GET /: public}\n"
                + (issuers.isEmpty ? "" : "issuers:\n" + issuers.joined()))
    }

    /// Adopts a snapshot and serves its issuer's first key set.
    func start(with keys: JSONValue) async throws -> Snapshot {
        let snapshot = try self.snapshot()
        await self.service.adopt(snapshot)
        try await self.server.next().answer(keys)
        _ = try await self.publication()
        return snapshot
    }

    /// Asks for keys as a request does. Returns, when the request may go on, how many key sets had been handed out.
    func refetch(_ snapshot: Snapshot, keyID: String?) async -> Int {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        return await withCheckedContinuation { continuation in
            self.service.refetch(issuer: snapshot.issuers[0].keysIdentity, keyID: keyID, eventLoop: eventLoop) {
                eventLoop.preconditionInEventLoop()
                continuation.resume(returning: self.publicationCount)
            }
        }
    }

    /// The messages that were logged so far.
    func messages(_ count: Int) throws -> [JSONValue] {
        try self.log.lines(count).map { try JSONReader.parse(Array($0.utf8).span.bytes) }
    }
}

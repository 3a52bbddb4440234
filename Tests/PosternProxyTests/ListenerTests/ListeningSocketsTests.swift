import NIOCore
import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct ListeningSocketsTests {
    @Test(arguments: [
        (
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0",
            8080, true
        ),
        (
            "   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000",
            8080, true
        ),
        ("   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000", 8081, false),
        ("   3: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000", 8080, false),
        ("   4: 0100007F:C350 0100007F:1F90 0A 00000000:00000000 00:00000000", 8080, false),
        (
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", 8080,
            false
        ),
        ("", 0, false), ("a b c 0A d", 0, false),
    ])
    func lineIsRead(row: (String, Int, Bool)) {
        #expect(ListeningSockets.listens(line: row.0, port: row.1) == row.2, "\(row.0)")
    }

    @Test func socketsOfAPortAreCounted() async throws {
        let rig = try await LoopRig(loops: 3)
        let open = try await Listeners(loops: rig.loops).open(.host("127.0.0.1", port: 0))
        let port = try #require(open.channels[0].localAddress?.port)
        #expect(ListeningSockets.count(port: port) == 3)
        await open.close()
        #expect(ListeningSockets.count(port: port) == 0)
        try await rig.stop()
    }
}

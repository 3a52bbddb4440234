import PosternCore
import Testing

@Suite struct DownstreamResponseTests {
    /// Reads bytes as a stream does, in pieces, and says in a line what came of them.
    static func read(_ pieces: [[UInt8]], toHead: Bool = false) -> String {
        var response = DownstreamResponse(toHead: toHead)
        var head = DownstreamResponseHead()
        var left: [UInt8] = []
        var said = ""
        var content: [UInt8] = []
        for piece in pieces {
            left += piece
            var goesOn = !left.isEmpty
            while goesOn {
                switch response.next(left.span.bytes, head: &head) {
                case .needMore:
                    if response.hasBegun { left = [] }
                    goesOn = false
                case .interim(let status, let end):
                    said += "\(status)\(Self.fields(left, head)) "
                    left.removeFirst(end)
                case .head(let status, let end, let isAll):
                    said += "\(status)\(Self.fields(left, head))\(isAll ? "." : "") "
                    left.removeFirst(end)
                case .tunnel(let end):
                    said += "tunnel\(Self.fields(left, head)) "
                    left.removeFirst(end)
                case .data(let range, let isAll):
                    content += left[range]
                    left.removeFirst(range.upperBound)
                    if isAll { said += "(\(String(decoding: content, as: UTF8.self)))" }
                case .end(let end):
                    left.removeFirst(end)
                    said += "(\(String(decoding: content, as: UTF8.self)))"
                    DownstreamTrailers.forEach(response.trailers) { said += " \($0.string())=\($1.string())" }
                case .problem:
                    return said + "problem"
                }
                goesOn = goesOn && !left.isEmpty
            }
        }
        if response.isTunnel { said += "(\(String(decoding: content, as: UTF8.self)))" }
        return said + (response.isEnded ? "." : "…")
    }

    private static func fields(_ bytes: [UInt8], _ head: DownstreamResponseHead) -> String {
        var text = ""
        head.forEachField(bytes.span.bytes) { text += "[\($0.string())=\($1.string())]" }
        return text
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let bytes: String
        let said: String
        let toHead: Bool

        init(_ bytes: String, _ said: String, toHead: Bool = false) {
            self.bytes = bytes
            self.said = said
            self.toHead = toHead
        }
        var testDescription: String { self.said }
    }

    @Test(
        "a response is read the same at every cut",
        arguments: [
            Row("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello", "200[Content-Length=5][A=b] (hello)."),
            Row("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200[Content-Length=0]. ."),
            Row("HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", "204[A=b]. ."),
            Row("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304[Content-Length=5]. ."),
            Row("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200[Content-Length=5]. .", toHead: true),
            Row("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200. .", toHead: true),
            Row(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
                    + "Content-Length: 1\r\nConnection: close\r\n\r\n!", "100 103[Link=x] 200[Content-Length=1] (!)."),
            Row(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
                "200[Trailer=a] (hello!)."),
            Row("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: b\r\nC: d\r\n\r\n", "200 () a=b C=d."),
            Row("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "200 …"),
            Row(
                "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                "tunnel[A=b] (HTTP/1.1 200 OK\r\n\r\n)…"),
            Row("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "200[Content-Length=1] (a)problem"),
            Row("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "problem"),
        ])
    func response(row: Row) {
        let bytes = Array(row.bytes.utf8)
        #expect(Self.read([bytes], toHead: row.toHead) == row.said)
        #expect(Self.read(bytes.map { [$0] }, toHead: row.toHead) == row.said)
        for cut in 0...bytes.count {
            #expect(
                Self.read([Array(bytes[..<cut]), Array(bytes[cut...])], toHead: row.toHead) == row.said, "cut at \(cut)"
            )
        }
    }
}

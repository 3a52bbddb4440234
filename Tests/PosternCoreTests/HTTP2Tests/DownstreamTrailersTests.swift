import PosternCore
import Testing

@Suite struct DownstreamTrailersTests {
    @Test("trailers become lines")
    func accepted() throws {
        var lines: [UInt8] = []
        try DownstreamTrailers.append("grpc-status", "0", to: &lines)
        try DownstreamTrailers.append("x-empty", "", to: &lines)
        #expect(String(decoding: lines, as: UTF8.self) == "grpc-status: 0\r\nx-empty: \r\n")
        var seen: [String] = []
        DownstreamTrailers.forEach(lines) { seen.append("\($0.string())=\($1.string())") }
        #expect(seen == ["grpc-status=0", "x-empty="])
    }

    @Test(
        "what cannot be a trailer line is none",
        arguments: [
            (":path", "/", HTTP2Malformation.trailers), ("A", "b", .fieldName), ("", "b", .fieldName),
            ("a\r\nb", "c", .fieldName), ("a", "b\r\nc: d", .fieldValue), ("a", " b", .fieldValue),
            ("a", "\0", .fieldValue), ("connection", "a", .connectionField),
            ("transfer-encoding", "a", .connectionField),
            ("upgrade", "a", .connectionField), ("te", "trailers", .connectionField),
        ])
    func refused(row: (String, String, HTTP2Malformation)) {
        var lines: [UInt8] = []
        #expect(throws: row.2) { try DownstreamTrailers.append(row.0, row.1, to: &lines) }
    }
}

import PosternCore
import Testing

/// A second opinion on chunked bodies: RFC 9112 section 7.1 and 3-behaviour, read from a whole array.
private enum ChunkOracle {
    static func read(_ bytes: [UInt8]) -> DecodedBody {
        var rest = bytes[...]
        var result = DecodedBody()
        func refuse(_ kind: HTTPProblem.Malformation = .chunkSize) -> DecodedBody {
            DecodedBody(data: [], trailers: [], end: .problem(.malformed(kind)), used: 0)
        }
        while true {
            // Size line.
            guard let cr = rest.firstIndex(where: { $0 < 0x20 || $0 == 0x7F }) else {
                return Self.mayBeginSizeLine(rest) ? result : refuse()
            }
            let line = rest[..<cr]
            let digits = line.prefix { $0 != UInt8(ascii: ";") }
            guard Self.mayBeginSizeLine(line), !digits.isEmpty, bytes[cr] == 13 else { return refuse() }
            guard cr + 1 < bytes.count else { return result }
            guard bytes[cr + 1] == 10 else { return refuse() }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else { return refuse() }
            rest = bytes[(cr + 2)...]
            if size == 0 { return Self.readTrailers(bytes, rest, result) }
            result.data += rest.prefix(size)
            guard rest.count > size else { return result }
            rest = rest.dropFirst(size)
            guard rest.first == 13 else { return refuse() }
            guard rest.count > 1 else { return result }
            guard rest.dropFirst().first == 10 else { return refuse() }
            rest = rest.dropFirst(2)
        }
    }

    private static func mayBeginSizeLine(_ line: ArraySlice<UInt8>) -> Bool {
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        let isHex = digits.allSatisfy { Character(UnicodeScalar($0)).isHexDigit && $0 < 0x80 }
        return isHex && digits.count <= 15 && line.count - digits.count <= 256
            && (!digits.isEmpty || line.count == digits.count)
    }

    private static func readTrailers(_ bytes: [UInt8], _ rest: ArraySlice<UInt8>, _ body: DecodedBody) -> DecodedBody {
        var result = body
        var lines: [ArraySlice<UInt8>] = []
        var start = rest.startIndex
        for i in rest.indices where bytes[i] == 10 {
            guard i > start, bytes[i - 1] == 13 else {
                return DecodedBody(end: .problem(.malformed(.trailer)))
            }
            let line = bytes[start..<(i - 1)]
            start = i + 1
            if !line.isEmpty {
                lines.append(line)
                continue
            }
            for line in lines {
                let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.startIndex
                let isClean = line.allSatisfy { $0 == 9 || ($0 >= 0x20 && $0 != 0x7F) }
                let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
                guard isClean, RequestOracle.isToken(line[..<colon]), name != "host", name != "content-length" else {
                    return DecodedBody(end: .problem(.malformed(.trailer)))
                }
                result.trailers += line + [13, 10]
            }
            result.end = .complete
            result.used = start
            return result
        }
        return result
    }
}

@Suite struct BodyDecoderPropertyTests {
    private static let pieces: [[UInt8]] =
        [
            "0", "1", "5", "a", "F", "\r\n", "\r\n", "\r", "\n", ";", ";x=y", "hello", "0\r\n\r\n", "0\r\n",
            "5\r\nhello\r\n",
            "3;q\r\nabc\r\n", " ", "\t", "+", "x", "X: y\r\n", "Host: a\r\n", "Content-Length: 1\r\n", ": b\r\n",
            "\r\n\r\n", "\0",
        ].map { Array($0.utf8) } + [[0x7F], [0x80], [0xFF]]

    private static func assembled(_ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<4, using: &numbers) { bytes += Array("5\r\nhello\r\n".utf8) }
        for _ in 0..<Int.random(in: 0..<5, using: &numbers) { bytes += numbers.pick(Self.pieces) }
        if Bool.random(using: &numbers) { bytes += Array("0\r\n\r\n".utf8) }
        return bytes
    }

    /// Data before a problem is not compared: it was passed on before the problem could be seen.
    private static func comparable(_ body: DecodedBody) -> DecodedBody {
        guard case .problem = body.end else { return body }
        return DecodedBody(end: .problem(.malformed(.chunkSize)))
    }

    @Test("the decoder and a naive reading agree on 60,000 awkward bodies, whole and cut anywhere", arguments: 0..<4)
    func agreesWithNaiveReading(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(500 + seed))
        var ends = (complete: 0, needMore: 0, problem: 0)
        for _ in 0..<15_000 {
            let bytes = Self.assembled(&numbers)
            let expected = Self.comparable(ChunkOracle.read(bytes))
            let cuts = (0..<Int.random(in: 0..<4, using: &numbers)).map { _ in
                Int.random(in: 0...bytes.count, using: &numbers)
            }.sorted()
            let whole = Self.comparable(decode(bytes, .chunked))
            let cut = Self.comparable(decode(bytes, .chunked, cuts: cuts))
            guard whole == expected, cut == expected else {
                let text = String(decoding: bytes, as: UTF8.self).debugDescription
                Issue.record("\(text) cut at \(cuts): \(whole), \(cut), not \(expected)")
                return
            }
            switch expected.end {
            case .complete: ends.complete += 1
            case .needMore: ends.needMore += 1
            case .problem: ends.problem += 1
            }
        }
        #expect(ends.complete > 500 && ends.needMore > 500 && ends.problem > 500, "\(ends)")
    }

    @Test("what the encoder writes the decoder reads, for any data, cut anywhere")
    func encoderAndDecoderAgree() {
        var numbers = SeededNumbers(seed: 77)
        for _ in 0..<2_000 {
            var data: [UInt8] = []
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<5, using: &numbers) {
                let chunk = (0..<Int.random(in: 1..<300, using: &numbers)).map { _ in
                    UInt8.random(in: 0...255, using: &numbers)
                }
                data += chunk
                ChunkEncoder.appendSizeLine(chunk.count, to: &bytes)
                bytes += chunk + [13, 10]
            }
            let trailers = Bool.random(using: &numbers) ? Array("X: y\r\nZ: w\r\n".utf8) : []
            ChunkEncoder.appendEnd(trailers: trailers, to: &bytes)
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            let expected = DecodedBody(data: data, trailers: trailers, end: .complete, used: bytes.count)
            #expect(decode(bytes + [0x47], .chunked, cuts: [cut]) == expected)
        }
    }

    @Test(
        "sizes are written in plain lower-case hexadecimal without leading zeros",
        arguments: [0, 1, 9, 10, 15, 16, 255, 256, 65_535, 1 << 20, (1 << 60) - 1, Int.max])
    func sizeLine(_ size: Int) {
        var bytes: [UInt8] = [1]
        ChunkEncoder.appendSizeLine(size, to: &bytes)
        #expect(bytes == [1] + Array((String(size, radix: 16) + "\r\n").utf8))
        #expect(bytes.count - 1 <= ChunkEncoder.maximumSizeLine)
    }

    @Test("the end is the last chunk, the trailers and an empty line")
    func end() {
        var plain: [UInt8] = []
        ChunkEncoder.appendEnd(trailers: [], to: &plain)
        #expect(plain == Array("0\r\n\r\n".utf8))
        var trailed: [UInt8] = []
        ChunkEncoder.appendEnd(trailers: Array("X: y\r\n".utf8), to: &trailed)
        #expect(trailed == Array("0\r\nX: y\r\n\r\n".utf8))
    }
}

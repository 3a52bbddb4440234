import PosternCore

/// A whole run of a decoder.
struct DecodedBody: Equatable {
    enum End: Equatable {
        case complete
        case needMore
        case problem(HTTPProblem)
    }

    var data: [UInt8] = []
    var trailers: [UInt8] = []
    var end = End.needMore
    /// Bytes that were used.
    var used = 0

    var text: String { String(decoding: self.data, as: UTF8.self) }
}

/// Feeds `bytes` in pieces that end at `cuts`, as a connection does: each piece alone, from its start.
func decode(
    _ bytes: [UInt8], _ framing: BodyFraming, cuts: [Int] = [], trailerLimit: Int = 1024
) -> DecodedBody {
    var decoder = BodyDecoder(framing, trailerLimit: trailerLimit)
    var result = DecodedBody()
    var start = 0
    for cut in cuts + [bytes.count] {
        let piece = Array(bytes[start..<cut])
        var offset = 0
        feeding: while true {
            switch decoder.next(piece.span.bytes, from: offset) {
            case .data(let range):
                result.data += piece[range]
                // A range that does not begin where the last one ended is allowed: framing is between them.
                offset = range.upperBound
            case .needMore:
                break feeding
            case .complete(let end):
                result.used = start + end
                result.end = .complete
                result.trailers = decoder.trailers
                return result
            case .problem(let problem):
                result.end = .problem(problem)
                return result
            }
        }
        start = cut
    }
    return result
}

/// The problem of a chunked body; nil if it is fine or goes on.
func chunkProblem(_ text: String, cuts: [Int] = []) -> HTTPProblem.Malformation? {
    if case .problem(.malformed(let problem)) = decode(Array(text.utf8), .chunked, cuts: cuts).end { return problem }
    return nil
}

import PosternCore

/// How a body was read.
private struct DecodedBody: Equatable {
    enum End: Equatable {
        case complete(Int)
        case goesOn
        case refused
    }

    var content: [UInt8] = []
    var trailers: [UInt8] = []
    var end = End.goesOn
}

private let trailerLimit = 512

func fuzzChunked(_ input: [UInt8]) {
    let whole = decode(input, cuts: [])
    check(decode(input, cuts: input.cuts) == whole, "a chunked body is read alike however it is cut")
    if input.count <= 2048 {
        check(decode(input, cuts: Array(1..<max(1, input.count))) == whole, "a chunked body is read alike byte by byte")
    }
    guard case .complete(let end) = whole.end else { return }
    check(whole.content.count + 5 <= end, "content is not longer than what it was read from")
    check(whole.trailers.count <= trailerLimit, "trailers are within their limit")
    if end < input.count {
        check(decode(Array(input[..<end]), cuts: []) == whole, "what comes after a body does not matter")
    }
    var output: [UInt8] = []
    if !whole.content.isEmpty {
        ChunkEncoder.appendSizeLine(whole.content.count, to: &output)
        output += whole.content + [13, 10]
    }
    ChunkEncoder.appendEnd(trailers: whole.trailers, to: &output)
    let again = decode(output, cuts: [])
    check(again.content == whole.content && again.trailers == whole.trailers, "a body written anew is the same body")
    check(again.end == .complete(output.count), "a body written anew ends where it ends")
}

/// Feeds the pieces of `input` between `cuts`, as a connection would.
private func decode(_ input: [UInt8], cuts: [Int]) -> DecodedBody {
    var decoder = BodyDecoder(.chunked, trailerLimit: trailerLimit)
    var result = DecodedBody()
    var start = 0
    for end in cuts + [input.count] where end > start || end == input.count {
        let piece = Array(input[start..<end])
        var offset = 0
        var wantsMore = false
        while !wantsMore {
            switch decoder.next(piece.span.bytes, from: offset) {
            case .data(let range):
                check(range.lowerBound >= offset && range.upperBound <= piece.count, "data is part of the input")
                check(!range.isEmpty, "data is not empty")
                result.content += piece[range]
                offset = range.upperBound
            case .needMore:
                wantsMore = true
            case .complete(let end):
                result.trailers = decoder.trailers
                result.end = .complete(start + end)
                return result
            case .problem:
                result.end = .refused
                return result
            }
        }
        start = end
    }
    return result
}

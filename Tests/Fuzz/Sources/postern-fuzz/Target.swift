import PosternCore

func fuzzTarget(_ input: [UInt8]) {
    guard input.count <= 4096 else { return }
    let strict = checked(input, TargetOptions())
    for bits in 0..<8 {
        let options = TargetOptions(
            allowEmptySegments: bits & 1 != 0, allowEncodedSlash: bits & 2 != 0, allowSemicolon: bits & 4 != 0)
        let target = checked(input, options)
        if strict != nil { check(target == strict, "what is accepted by default is accepted alike with any option") }
        if let target { checkAccepted(input, target, options) }
    }
}

private func checked(_ input: [UInt8], _ options: TargetOptions) -> CheckedTarget? {
    try? CheckedTarget.check(input.span.bytes, ByteRange(0, input.count), options: options)
}

/// What an accepted target must be, found out in the plainest way.
private func checkAccepted(_ input: [UInt8], _ target: CheckedTarget, _ options: TargetOptions) {
    let path = Array(input[target.path.range])
    check(path.isEmpty ? target.isAbsolute : path[0] == UInt8(ascii: "/"), "a path begins with /")
    check(target.hasEscapes == path.contains(UInt8(ascii: "%")), "escapes are noticed")
    let pathEnd = target.path.isEmpty ? nil : Int(target.path.end)
    if let pathEnd, !target.hasQuery { check(pathEnd == input.count, "without a query the path is the rest") }
    if target.hasQuery {
        check(Int(target.query.end) == input.count, "the query is the rest")
        check(input[Int(target.query.start) - 1] == UInt8(ascii: "?"), "a query follows a ?")
    }
    for byte in input {
        check(byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#"), "no byte that is read in two ways")
    }
    guard let decoded = percentDecoded(path) else { return check(false, "escapes are well-formed") }
    check(String(validating: decoded, as: UTF8.self) != nil, "decoded, a path is UTF-8")
    for byte in decoded {
        check(byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "\\"), "no control, no backslash")
    }
    if !options.allowSemicolon { check(!path.contains(UInt8(ascii: ";")), "no semicolon") }
    if !options.allowEncodedSlash {
        check(decoded.count { $0 == UInt8(ascii: "/") } == path.count { $0 == UInt8(ascii: "/") }, "no encoded slash")
    }
    checkSegments(path, options)
}

/// No segment is a dot segment or empty, for the reader who decodes `%2F` and for the one who cuts a segment at `;`. An
/// escaped semicolon is data to both (2-configuration, Routes).
private func checkSegments(_ path: [UInt8], _ options: TargetOptions) {
    let segments = String(decoding: path, as: UTF8.self).replacing("%2F", with: "/").replacing("%2f", with: "/")
    let names = Array(segments.utf8).parts("/").dropFirst()
    for (index, segment) in names.enumerated() {
        let name = percentDecoded(segment.parts(";")[0]) ?? []
        check(name != Array(".".utf8) && name != Array("..".utf8), "no dot segment for any reader")
        let mayBeEmpty = index == names.count - 1 || options.allowEmptySegments || options.allowEncodedSlash
        check(mayBeEmpty || !segment.isEmpty, "no empty segment inside a path")
    }
}

/// Decoded once; nil where a `%` begins no escape.
func percentDecoded(_ text: [UInt8]) -> [UInt8]? {
    var output: [UInt8] = []
    var index = 0
    while index < text.count {
        guard text[index] == UInt8(ascii: "%") else {
            output.append(text[index])
            index += 1
            continue
        }
        guard index + 2 < text.count, let high = Character(Unicode.Scalar(text[index + 1])).hexDigitValue,
            let low = Character(Unicode.Scalar(text[index + 2])).hexDigitValue
        else { return nil }
        output.append(UInt8(high * 16 + low))
        index += 3
    }
    return output
}

import PosternCore
import Testing

/// A second opinion on paths, written from 2-configuration without an eye to speed: splits, decodes, compares.
private struct PathOracle {
    var options: TargetOptions

    func accepts(_ path: [UInt8]) -> Bool {
        guard path.first == UInt8(ascii: "/"), path.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        guard !path.contains(UInt8(ascii: "#")), !path.contains(UInt8(ascii: "\\")) else { return false }
        guard self.options.allowSemicolon || !path.contains(UInt8(ascii: ";")) else { return false }
        guard let decoded = Self.decode(path), let text = String(validating: decoded, as: UTF8.self) else {
            return false
        }
        guard
            !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0 == "\\" })
        else { return false }
        let segments = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (i, segment) in segments.enumerated() {
            let written = String(decoding: segment, as: UTF8.self).replacing("%2f", with: "%2F")
            if written.isEmpty, i < segments.count - 1, !self.options.allowEmptySegments { return false }
            if written.hasPrefix(";"), !self.options.allowEmptySegments { return false }
            if written.contains("%2F"), !self.options.allowEncodedSlash { return false }
            for part in written.split(separator: "%2F", omittingEmptySubsequences: false) {
                let name = part.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
                let plain = name.replacing("%2e", with: ".").replacing("%2E", with: ".")
                if plain == "." || plain == ".." { return false }
            }
        }
        return true
    }

    static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            result.append(value)
            rest = rest.dropFirst(2)
        }
        return result
    }
}

@Suite struct TargetPropertyTests {
    private static let pieces: [[UInt8]] =
        [
            "/", "/", "/", "a", "b", ".", "..", "%2e", "%2E", "%2F", "%2f", "%5C", ";", "\\", "%", "%4", "%41", "%25",
            "%C3%A9", "%c0%ae", "%ED%A0%80", "%E2%82%AC", "%F0%9F%98%80", "%80", "%C2%85", "%00", "%7F", "#", "x=1",
            "%3B",
        ].map { Array($0.utf8) } + [[0x80], [0xFF], [0x01], [0x7F]]

    @Test("the check and a naive reading agree on 60,000 paths of awkward pieces", arguments: 0..<8)
    func agreesWithNaiveReading(_ choice: Int) {
        let options = TargetOptions(
            allowEmptySegments: choice & 1 != 0, allowEncodedSlash: choice & 2 != 0, allowSemicolon: choice & 4 != 0)
        let oracle = PathOracle(options: options)
        var numbers = SeededNumbers(seed: UInt64(choice))
        var accepted = 0
        for _ in 0..<7_500 {
            // Mostly harmless pieces, or hardly any path would pass.
            var path: [UInt8] = [UInt8(ascii: "/")]
            for _ in 0..<Int.random(in: 0..<7, using: &numbers) {
                let isHarmless = Bool.random(using: &numbers)
                path += isHarmless ? numbers.pick(Array(Self.pieces[0..<9])) : numbers.pick(Self.pieces)
            }
            let passes = checkTarget(path, options).problem == nil
            #expect(passes == oracle.accepts(path), "\(String(decoding: path, as: UTF8.self)) \(options)")
            accepted += passes ? 1 : 0
        }
        #expect(accepted > 500)
    }

    @Test("any bytes at all are an answer, never a trap")
    func arbitraryBytesAreAnswered() {
        var numbers = SeededNumbers(seed: 99)
        var answers: Set<Bool> = []
        for _ in 0..<20_000 {
            var target = (0..<Int.random(in: 0..<12, using: &numbers)).map { _ in
                UInt8.random(in: 0...255, using: &numbers)
            }
            if Bool.random(using: &numbers) { target.insert(UInt8(ascii: "/"), at: 0) }
            if Int.random(in: 0..<4, using: &numbers) == 0 { target = Array("http://".utf8) + target }
            answers.insert(checkTarget(target).problem == nil)
        }
        #expect(answers == [true, false])
    }
}

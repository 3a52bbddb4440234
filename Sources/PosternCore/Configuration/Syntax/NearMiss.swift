/// Finds the name that was probably meant.
enum NearMiss {
    /// The nearest of `candidates`, if one is near enough: at most a third of its letters away, at most two, where
    /// case and the kind of separator do not count; or else the one that the text is the beginning of.
    static func suggestion(for text: String, among candidates: [String]) -> String? {
        let wanted = Self.folded(text)
        // Long texts are no typing mistakes, and the distance costs their product.
        guard wanted.count <= 64 else { return nil }
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let folded = Self.folded(candidate)
            guard folded.count <= 64 else { continue }
            let distance = Self.distance(wanted, folded)
            guard distance <= min(2, max(1, folded.count / 3)), folded.count > 1 else { continue }
            if distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        guard best == nil, wanted.count >= 3 else { return best?.name }
        return candidates.first { Self.folded($0).starts(with: wanted) }
    }

    private static func folded(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: " ") ? UInt8(ascii: "_") : $0.asciiLowercased }
    }

    /// How many insertions, deletions, replacements and swaps of neighbours make one text of the other (optimal
    /// string alignment).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var current = [i + 1]
            for (j, b) in right.enumerated() {
                var cost = min(last[j + 1] + 1, current[j] + 1, last[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { cost = min(cost, beforeLast[j - 1] + 1) }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}

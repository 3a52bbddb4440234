import PosternCore

/// The same numbers in every run: SplitMix64 from a seed.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// One of the items.
    mutating func pick<Item>(_ items: [Item]) -> Item {
        items[Int.random(in: items.indices, using: &self)]
    }
}

/// What `CheckedTarget.check` says of a target that stands alone.
func checkTarget(_ target: [UInt8], _ options: TargetOptions = TargetOptions()) -> Result<CheckedTarget, TargetProblem>
{
    do throws(TargetProblem) {
        return .success(
            try CheckedTarget.check(target.span.bytes, ByteRange(0, target.count), options: options))
    } catch {
        return .failure(error)
    }
}

func checkTarget(_ target: String, _ options: TargetOptions = TargetOptions()) -> Result<CheckedTarget, TargetProblem> {
    checkTarget(Array(target.utf8), options)
}

/// The text of a range of a string's UTF-8.
func text(_ range: ByteRange, of string: String) -> String {
    String(decoding: Array(string.utf8)[range.range], as: UTF8.self)
}

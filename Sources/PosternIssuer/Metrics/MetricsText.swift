/// Text in the Prometheus exposition format 0.0.4: families one after the other, each with its help and type.
struct MetricsText {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    /// A label and its value, which is escaped here.
    typealias Label = (name: StaticString, value: String)

    private(set) var text = ""

    /// Begins a family. Every name appears once.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample of a counter or gauge.
    mutating func sample(_ name: String, _ labels: [Label] = [], _ value: some BinaryInteger) {
        self.line(name, labels, String(value))
    }

    /// One sample in seconds or another fraction.
    mutating func sample(_ name: String, _ labels: [Label] = [], _ value: Double) {
        self.line(name, labels, Self.number(value))
    }

    /// All samples of one histogram.
    mutating func histogram(_ name: String, _ labels: [Label], _ histogram: DurationHistogram) {
        var total: UInt64 = 0
        for (bound, count) in zip(DurationHistogram.bounds, histogram.buckets) {
            total += count
            self.line(name + "_bucket", labels + [("le", Self.number(bound))], String(total))
        }
        self.line(name + "_bucket", labels + [("le", "+Inf")], String(histogram.count))
        self.line(name + "_sum", labels, Self.number(histogram.sum))
        self.line(name + "_count", labels, String(histogram.count))
    }

    private mutating func line(_ name: String, _ labels: [Label], _ value: String) {
        self.text += name
        if !labels.isEmpty {
            let parts = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            self.text += "{\(parts.joined(separator: ","))}"
        }
        self.text += " \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return String(value)
    }

    /// Backslash, quote and line feed escaped, as the format asks for.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

/// A histogram of durations with fixed bounds.
struct DurationHistogram: Equatable, Sendable {
    /// Upper bounds in seconds; a last bucket is without bound. Around 1 ms lies an RS256 signature, around 50 ms a
    /// password.
    static let bounds: [Double] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// How many fell between a bound and the one before; the last has no bound.
    private(set) var buckets = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    /// Seconds.
    private(set) var sum = 0.0
    private(set) var count: UInt64 = 0

    /// Records a duration in seconds.
    mutating func record(_ duration: Double) {
        self.sum += duration
        self.count += 1
        self.buckets[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] += 1
    }
}

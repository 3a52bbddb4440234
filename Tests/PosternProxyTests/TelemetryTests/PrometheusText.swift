import Testing

/// A strict reader of the Prometheus text format 0.0.4, so far as a counter, a gauge or a histogram needs it.
struct PrometheusText {
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    /// What follows `# HELP` and `# TYPE` of one name.
    struct Family {
        var kind: String
        var samples: [Sample] = []
    }

    private(set) var families: [String: Family] = [:]
    private(set) var order: [String] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Problem(description: "the last line has no end") }
        var help: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# HELP ") {
                let words = line.split(separator: " ", maxSplits: 3)
                guard words.count == 4, help == nil else { throw Problem(description: "\(line)") }
                help = String(words[2])
            } else if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ").map(String.init)
                guard words.count == 4, words[2] == help, self.families[words[2]] == nil,
                    ["counter", "gauge", "histogram"].contains(words[3])
                else { throw Problem(description: "\(line)") }
                self.families[words[2]] = Family(kind: words[3])
                self.order.append(words[2])
                help = nil
            } else {
                try self.add(Self.sample(String(line)))
            }
        }
    }

    /// All samples of a name.
    func samples(_ name: String) -> [Sample] { self.families[name]?.samples ?? [] }

    /// The one value under a name and labels.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = self.families.values.flatMap(\.samples).filter { $0.name == name && $0.labels == labels }
        return found.count == 1 ? found[0].value : nil
    }

    private mutating func add(_ sample: Sample) throws {
        guard let current = self.order.last, var family = self.families[current] else {
            throw Problem(description: "\(sample.name) comes before any family")
        }
        let suffixes = family.kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { current + $0 == sample.name }) else {
            throw Problem(description: "\(sample.name) is among the samples of \(current)")
        }
        guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
            throw Problem(description: "\(sample.name) \(sample.labels) is there twice")
        }
        if family.kind == "counter", !(sample.value >= 0) { throw Problem(description: "\(sample.name) is negative") }
        family.samples.append(sample)
        self.families[current] = family
    }

    private static func sample(_ line: String) throws -> Sample {
        let problem = Problem(description: "not a sample: \(line)")
        guard let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)/),
            let value = Double(match.3)
        else { throw problem }
        var labels: [String: String] = [:]
        var rest = match.2 ?? ""
        while !rest.isEmpty {
            guard let label = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/),
                labels[String(label.1)] == nil
            else { throw problem }
            labels[String(label.1)] = Self.unescaped(label.2)
            rest = rest[label.range.upperBound...]
            if label.3 == ",", rest.isEmpty { throw problem }
        }
        return Sample(name: String(match.1), labels: labels, value: value)
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = ""
        var escaped = false
        for scalar in text.unicodeScalars {
            if escaped {
                result.unicodeScalars.append(scalar == "n" ? "\n" : scalar)
                escaped = false
            } else if scalar == "\\" {
                escaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

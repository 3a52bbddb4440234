/// A strict reader of the Prometheus text format 0.0.4: throws where a scraper would stumble, or could not tell what a
/// sample means.
struct Exposition {
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    private(set) var types: [String: String] = [:]
    private(set) var samples: [Sample] = []
    /// Families with their samples, in the order of the text.
    private var order: [String] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Fault(description: "the last line has no end") }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            try line.hasPrefix("#") ? self.comment(String(line)) : self.sample(String(line))
        }
        guard self.order.count == Set(self.order).count else { throw Fault(description: "a family comes twice") }
        var seen: Set<String> = []
        for sample in self.samples {
            let key = "\(sample.name) \(sample.labels.sorted { $0.key < $1.key })"
            guard seen.insert(key).inserted else { throw Fault(description: "twice: \(key)") }
        }
        try self.checkHistograms()
    }

    /// The value of the only sample with that name and, among others, those labels.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = self.samples.filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
        return found.count == 1 ? found[0].value : nil
    }

    private mutating func comment(_ line: String) throws {
        let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
        guard parts.count == 4, Self.isName(parts[2]) else { throw Fault(description: line) }
        switch parts[1] {
        case "HELP":
            self.order.append(parts[2])
        case "TYPE":
            guard self.order.last == parts[2], self.types[parts[2]] == nil,
                ["counter", "gauge", "histogram"].contains(parts[3])
            else { throw Fault(description: line) }
            self.types[parts[2]] = parts[3]
        default:
            throw Fault(description: line)
        }
    }

    private mutating func sample(_ line: String) throws {
        let name = String(line.prefix { $0 != "{" && $0 != " " })
        var rest = line.dropFirst(name.count)
        guard Self.isName(name) else { throw Fault(description: line) }
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                let label = String(rest.prefix { $0 != "=" })
                rest = rest.dropFirst(label.count + 1)
                guard Self.isName(label), !label.contains(":"), labels[label] == nil, rest.first == "\"" else {
                    throw Fault(description: line)
                }
                labels[label] = try Self.text(&rest)
                if rest.first == "," { rest = rest.dropFirst() }
            }
            rest = rest.dropFirst()
        }
        guard rest.first == " ", let value = Double(rest.dropFirst()) else { throw Fault(description: line) }
        let family = try self.family(of: name)
        guard self.order.last == family else { throw Fault(description: "out of its family: \(line)") }
        if self.types[family] == "counter" {
            guard name.hasSuffix("_total"), value >= 0 else { throw Fault(description: line) }
        }
        self.samples.append(Sample(name: name, labels: labels, value: value))
    }

    private func family(of name: String) throws -> String {
        if self.types[name] != nil { return name }
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
            let family = String(name.dropLast(suffix.count))
            if self.types[family] == "histogram" { return family }
        }
        throw Fault(description: "\(name) has no type")
    }

    /// A quoted value; moves past it.
    private static func text(_ rest: inout Substring) throws -> String {
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.first, character != "\"" {
            rest = rest.dropFirst()
            guard character == "\\" else {
                value.append(character)
                continue
            }
            switch rest.first {
            case "n": value.append("\n")
            case "\\": value.append("\\")
            case "\"": value.append("\"")
            default: throw Fault(description: "an escape that is none")
            }
            rest = rest.dropFirst()
        }
        guard rest.first == "\"" else { throw Fault(description: "a value without end") }
        rest = rest.dropFirst()
        return value
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
                || $0 == 0x3A
        }
    }

    /// Buckets are cumulative, in order, and end with `+Inf`, which is the count.
    private func checkHistograms() throws {
        for (family, type) in self.types where type == "histogram" {
            let counts = self.samples.filter { $0.name == family + "_count" }
            for count in counts {
                let buckets = self.samples.filter { sample in
                    var labels = sample.labels
                    labels["le"] = nil
                    return sample.name == family + "_bucket" && labels == count.labels
                }
                let bounds = buckets.compactMap { $0.labels["le"].flatMap(Double.init) }
                guard bounds == bounds.sorted(), bounds.last == .infinity, bounds.count == buckets.count,
                    buckets.map(\.value) == buckets.map(\.value).sorted(), buckets.last?.value == count.value,
                    self.samples.contains(where: { $0.name == family + "_sum" && $0.labels == count.labels })
                else { throw Fault(description: "\(family) \(count.labels) is no histogram") }
            }
        }
    }
}

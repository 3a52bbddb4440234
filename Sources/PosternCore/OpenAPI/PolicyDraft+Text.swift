extension PolicyDraft {
    /// What a whole proxy.yaml has besides routes.
    public struct Surroundings: Equatable, Sendable {
        /// `upstream`.
        public var upstream: String
        /// The issuer's `iss`.
        public var issuer: String
        /// Its `audiences`; the one word `any` switches the check off.
        public var audiences: [String]
        /// Where its keys are; nil: its metadata says.
        public var keys: String?
        /// `listen`; nil: the default.
        public var listen: String?
        /// `service`; nil: made of the document's title.
        public var service: String?

        public init(
            upstream: String, issuer: String, audiences: [String], keys: String? = nil, listen: String? = nil,
            service: String? = nil
        ) {
            self.upstream = upstream
            self.issuer = issuer
            self.audiences = audiences
            self.keys = keys
            self.listen = listen
            self.service = service
        }
    }

    /// The policy as YAML: a whole proxy.yaml, or its section `routes` alone.
    ///
    /// - Parameter source: the document's file.
    public func yaml(source: String, surroundings: Surroundings?) -> String {
        var text = PolicyText.comment(
            "Made by postern import openapi of \(Words.quoted(source)) (\(self.description.format)). \(self.census)")
        for remark in self.description.remarks {
            text += PolicyText.comment("\(remark.place.path): \(remark.message).")
        }
        if let surroundings {
            text += self.head(surroundings)
        } else {
            text += PolicyText.comment("A section of proxy.yaml; leave default: deny, so that nothing else is open.")
        }
        return text + "\nroutes:\n" + self.body
    }

    /// What was made of the document, in one line.
    public var census: String {
        let noted = self.routes.count { !$0.notes.isEmpty }
        func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
        var parts = [count(self.description.operations.count, "operation"), count(self.routes.count, "route")]
        if noted > 0 { parts.append("\(noted) with a comment to read") }
        if !self.skipped.isEmpty { parts.append("\(self.skipped.count) without a route") }
        return parts.joined(separator: ", ") + "."
    }

    private func head(_ surroundings: Surroundings) -> String {
        let service = surroundings.service ?? self.serviceName
        var text = "version: 1\n\n"
        if let listen = surroundings.listen { text += "listen: \(PolicyText.scalar(listen))\n" }
        text += "upstream: \(PolicyText.scalar(surroundings.upstream))\n"
        if let service { text += "service: \(PolicyText.scalar(service))\n" }
        text += "\nissuers:\n  main:\n    issuer: \(PolicyText.scalar(surroundings.issuer))\n"
        let audiences =
            surroundings.audiences == ["any"]
            ? "any" : "[\(surroundings.audiences.map { PolicyText.scalar($0) }.joined(separator: ", "))]"
        text += "    audiences: \(audiences)\n"
        text +=
            "    keys: " + (surroundings.keys.map { "{url: \(PolicyText.scalar($0))}" } ?? "{discover: true}") + "\n"
        return text + "\ndefault: deny\n"
    }

    /// The document's title as a name for logs; nil where nothing is left of it.
    private var serviceName: String? {
        var name: [UInt8] = []
        for byte in self.description.title.utf8.prefix(256) {
            if byte.isASCIIAlphanumeric {
                name.append(byte.asciiLowercased)
            } else if name.last != UInt8(ascii: "-"), !name.isEmpty {
                name.append(UInt8(ascii: "-"))
            }
        }
        name = Array(name.prefix(64))
        while name.last == UInt8(ascii: "-") { name.removeLast() }
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    private var body: String {
        var text = self.routes.isEmpty ? "  {}\n" : ""
        for route in self.routes {
            for note in route.notes { text += PolicyText.comment(note, indent: "  ") }
            text += "  \(PolicyText.key(route.pattern.text)): \(PolicyText.rule(route.access))\n"
        }
        for skipped in self.skipped {
            text += PolicyText.comment("No route for \(skipped.operation.text): \(skipped.reason)", indent: "  ")
        }
        return text
    }
}

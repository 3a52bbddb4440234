extension ConfigurationDecoder {
    /// `tracing`; nil where there is none, or where a problem was found in it.
    mutating func tracing(_ root: Field, service: String?) -> Configuration.Tracing? {
        guard let field = root["tracing"] else { return nil }
        let ca = field["ca"].flatMap { self.reader.readFile($0) }
        let headers = self.headers(field)
        for header in field["headers"]?.entries ?? [] where Self.ownHeaders.contains(header.key.lowercased()) {
            self.reader.report("the export itself sets this header", at: header.mark, path: header.field.path)
        }
        let endpoint = field["endpoint"].flatMap { self.exportURL($0, hasHeaders: !headers.isEmpty, ca: field["ca"]) }
        let sample = field["sample"].flatMap { self.share($0) }
        guard let endpoint, let sample, let limit = field["limit"]?.integer, let timeout = field["timeout"]?.duration,
            let parents = field["parents"]?.word.flatMap({ TraceSampling.Parents(rawValue: $0) }),
            let name = field["service_name"]?.text ?? service
        else { return nil }
        if sample == 0, parents == .ignore, let written = field["sample"] {
            self.warn("nothing is ever recorded: raise it, or remove tracing", at: written.mark, path: written.path)
        }
        return Configuration.Tracing(
            endpoint: endpoint, sample: sample, parents: parents, limit: limit, serviceName: name, headers: headers,
            timeout: timeout, ca: ca, mark: field.mark)
    }

    private static let ownHeaders = ["content-type", "content-encoding", "user-agent"]

    /// Where spans are posted: a URL without a path is a collector's address (OTLP exporter specification, endpoints).
    private mutating func exportURL(_ field: Field, hasHeaders: Bool, ca: Field?) -> String? {
        guard let url = field.url else { return nil }
        if url.userinfo != nil { self.report("cannot hold credentials: send them with tracing.headers", at: field) }
        if url.rest.contains("#") { self.report("cannot hold a fragment (\"#…\")", at: field) }
        if url.port == 4317 {
            self.warn(
                "4317 is where collectors take OTLP over gRPC: over HTTP, which Postern speaks, it is 4318",
                at: field.mark, path: field.path)
        }
        if url.scheme == "http" {
            if let ca { self.warn("has no effect: spans go over http", at: ca.mark, path: ca.path) }
            if !url.isPrivateHost {
                let seen = hasHeaders ? "spans, and the headers with their secrets, go" : "spans go"
                self.warn(
                    "\(seen) over http to \(url.host): whoever is on the way can read them; use https",
                    at: field.mark, path: field.path)
            }
        }
        guard url.rest.isEmpty || url.rest == "/" else { return url.text }
        return url.text + (url.rest.isEmpty ? "/v1/traces" : "v1/traces")
    }

    /// A number from 0 to 1, from the environment, too.
    private mutating func share(_ field: Field) -> Double? {
        let share: Double? =
            switch field.json {
            case .number(let number, _): number
            case .string(let text) where PlainScalar.isJSONNumber(text): Double(text)
            default: nil
            }
        guard let share, (0...1).contains(share) else {
            self.report("must be a number from 0 to 1, such as 0.1 for a tenth", at: field)
            return nil
        }
        return share
    }
}

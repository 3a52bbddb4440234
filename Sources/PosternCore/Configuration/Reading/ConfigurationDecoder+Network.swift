extension ConfigurationDecoder {
    mutating func listeners(_ root: Field) -> [Configuration.Listener] {
        var result: [Configuration.Listener] = []
        for field in root["listen"]?.list ?? [] {
            let tls = field["tls"].flatMap { self.serverTLS($0) }
            guard let address = field.address ?? field["address"]?.address else { continue }
            if let other = result.first(where: { $0.address.collides(with: address) }) {
                self.report("listens at the same address as the entry in line \(other.mark.line)", at: field)
                continue
            }
            result.append(
                Configuration.Listener(
                    address: address, proxyProtocol: field["proxy_protocol"]?.boolean ?? false, tls: tls,
                    mark: field.mark))
        }
        return result
    }

    mutating func admin(_ root: Field) -> Configuration.Admin? {
        guard let field = root["admin"] else { return nil }
        let address = field["address"] ?? field
        guard let place = address.address else { return nil }
        if !place.isLocal {
            self.warn(
                "anyone who reaches \(place) sees the policy: keep it at 127.0.0.1 and give probes and Prometheus "
                    + "{address: 127.0.0.1:9901, status: 0.0.0.0:9902}", at: address.mark, path: address.path)
        }
        let status = field["status"]
        if let status, let other = status.address, other.collides(with: place) {
            self.report("must be another address than admin", at: status)
        }
        return Configuration.Admin(address: place, status: status?.address, mark: field.mark)
    }

    /// A service, from a string or the long form.
    mutating func upstream(_ field: Field) -> Configuration.Upstream? {
        let url = field["url"] ?? field
        let address: Address
        let text: String
        if let reference = url.url {
            address = .host(reference.host, port: reference.port ?? (reference.scheme == "https" ? 443 : 80))
            text = reference.text
        } else if let socket = url.address {
            address = socket
            text = socket.description
        } else {
            return nil
        }
        let tls = self.clientTLS(field["tls"], url: url)
        return Configuration.Upstream(
            address: address, url: text, applicationProtocol: self.applicationProtocol(field["protocol"], tls: tls),
            connections: field["connections"]?.integer ?? Self.upstreamDefault("connections"),
            queue: field["queue"]?.integer ?? Self.upstreamDefault("queue"),
            retryAttempts: field["retry"]?["attempts"]?.integer ?? 1, health: self.health(field["health"]), tls: tls,
            mark: url.mark)
    }

    /// `protocol` of a service.
    private mutating func applicationProtocol(
        _ field: Field?, tls: Configuration.ClientTLS?
    ) -> Configuration.ApplicationProtocol {
        let spoken = field?.word.flatMap { Configuration.ApplicationProtocol(rawValue: $0) } ?? .http1
        if spoken == .auto, tls == nil, let field {
            self.warn(
                "means http1 here: without TLS a service cannot say what it speaks; write h2 if it is HTTP/2",
                at: field.mark, path: field.path)
        }
        return spoken
    }

    /// What the long form's default says, for the short form.
    private static func upstreamDefault(_ key: String) -> Int {
        guard case .scalar(let text, _, _)? = Section.upstream.key(key)?.absent else { return 0 }
        return Int(text) ?? 0
    }

    /// Admin addresses among the addresses for clients.
    mutating func checkAddresses(
        listen: [Configuration.Listener], admin: Configuration.Admin?, root: Field
    ) {
        guard let admin, let field = root["admin"] else { return }
        let address = field["address"] ?? field
        for listener in listen {
            if listener.address.collides(with: admin.address) {
                self.report("is the address that clients connect to (line \(listener.mark.line))", at: address)
            }
            if let status = field["status"], let place = admin.status, listener.address.collides(with: place) {
                self.report("is the address that clients connect to (line \(listener.mark.line))", at: status)
            }
        }
    }

    /// A service that is the proxy itself.
    mutating func checkLoops(
        listen: [Configuration.Listener], upstream: Configuration.Upstream?, routes: [Configuration.Route]
    ) {
        var all = upstream.map { [(path: "upstream", upstream: $0)] } ?? []
        all += routes.compactMap { route in
            route.upstream.map { (path: "routes.\(route.pattern.text).upstream", upstream: $0) }
        }
        for (path, upstream) in all where listen.contains(where: { Self.isReached($0.address, by: upstream.address) }) {
            self.reader.report(
                "is where the proxy itself listens: requests would go in circles", at: upstream.mark, path: path)
        }
    }

    /// Whether a connection to `target` certainly ends at a listener of `address` on the same host.
    private static func isReached(_ address: Address, by target: Address) -> Bool {
        switch (address, target) {
        case (.host(let host, let port), .host(let targetHost, let targetPort)):
            guard port == targetPort else { return false }
            return host == targetHost || (target.isLocal && (address.isLocal || host == "0.0.0.0" || host == "::"))
        default:
            return address == target
        }
    }
}

// Of TLS the files are named, and what they hold is not shown.
extension Configuration.Listener {
    /// The address alone where there is no more to say.
    var policy: JSONValue {
        let address = JSONValue.string(self.address.description)
        guard self.tls != nil || self.proxyProtocol else { return address }
        return .members([
            ("address", address), ("tls", self.tls?.policy),
            ("proxy_protocol", self.proxyProtocol ? .bool(true) : nil),
        ])
    }
}

extension Configuration.ServerTLS {
    fileprivate var policy: JSONValue {
        let clients: (authorities: Configuration.TLSFile?, authentication: String?) =
            switch self.clients {
            case .anonymous: (nil, nil)
            case .requested(let authorities): (authorities, "request")
            case .required(let authorities): (authorities, "require")
            }
        return .members([
            ("certificate", .string(self.identity.certificate.path)), ("key", .string(self.identity.privateKey.path)),
            ("client_ca", clients.authorities.map { .string($0.path) }),
            ("client_auth", clients.authentication.map { .string($0) }),
        ])
    }
}

extension Configuration.ClientTLS {
    var policy: JSONValue {
        .members([
            ("ca", self.authorities.map { .string($0.path) }), ("server_name", self.serverName.map { .string($0) }),
            ("certificate", self.identity.map { .string($0.certificate.path) }),
            ("key", self.identity.map { .string($0.privateKey.path) }),
        ])
    }
}

extension Configuration.Upstream {
    /// As a route names it: the URL alone where there is no more to say.
    var routePolicy: JSONValue {
        let url = JSONValue.string(self.url)
        guard self.tls != nil || self.health != nil || self.applicationProtocol != .http1 else { return url }
        let spoken = self.applicationProtocol == .http1 ? nil : JSONValue.string(self.applicationProtocol.rawValue)
        return .members([
            ("url", url), ("protocol", spoken), ("health", self.health?.policy), ("tls", self.tls?.policy),
        ])
    }
}

extension Configuration.Health {
    var policy: JSONValue {
        .members([
            ("path", .string(self.path)), ("interval", .string(Nanoseconds.text(self.interval))),
            ("failures", .whole(self.failures)),
        ])
    }
}

extension ConfigurationDecoder {
    /// `tls` of a listener.
    mutating func serverTLS(_ field: Field) -> Configuration.ServerTLS? {
        let identity = self.tlsIdentity(field)
        let authorities = field["client_ca"].flatMap { self.tlsFile($0) }
        let authentication = field["client_auth"]
        if let authentication, field["client_ca"] == nil, !self.reader.hasProblem(under: "\(field.path).client_ca") {
            self.report(
                "needs client_ca: without authorities no certificate of a client can be judged", at: authentication)
        }
        guard let identity else { return nil }
        guard let authorities else { return Configuration.ServerTLS(identity: identity, clients: .anonymous) }
        let isOptional = authentication?.word == "request"
        return Configuration.ServerTLS(
            identity: identity, clients: isOptional ? .requested(authorities) : .required(authorities))
    }

    /// `tls` of a service at `url`; nil for one that is reached without TLS.
    mutating func clientTLS(_ field: Field?, url: Field) -> Configuration.ClientTLS? {
        guard let host = url.url.flatMap({ $0.scheme == "https" ? $0.host : nil }) else {
            if let field {
                self.report("has a meaning only with an https URL: write url: https://… or remove it", at: field)
            }
            return nil
        }
        let authorities = field?["ca"].flatMap { self.tlsFile($0) }
        let identity = field.flatMap { self.clientIdentity($0) }
        return Configuration.ClientTLS(
            authorities: authorities, serverName: self.serverName(field?["server_name"], host: host, url: url),
            identity: identity)
    }

    /// The name in the service's certificate: the one that is given, or the host of the URL if that is a name.
    private mutating func serverName(_ field: Field?, host: String, url: Field) -> String? {
        if let field, let name = field.text {
            if IPAddress(name) != nil {
                self.report("must be a host name: an IP address is checked where the URL has one", at: field)
            } else if !Self.isCertificateName(name) {
                self.report("must be a host name: letters, digits, \"-\" and \".\"", at: field)
            }
            return name
        }
        guard IPAddress(host) == nil else { return nil }
        if !Self.isCertificateName(host) {
            self.report("\"\(host)\" cannot be in a certificate: give tls.server_name", at: url)
        }
        return host
    }

    /// Whether a certificate can be for this name (RFC 6125 section 6.4): a host name in the strict sense.
    private static func isCertificateName(_ name: String) -> Bool {
        Address.isHost(name) && !name.contains("_")
    }

    private mutating func clientIdentity(_ field: Field) -> Configuration.TLSIdentity? {
        for (key, other) in [("certificate", "key"), ("key", "certificate")] {
            guard let present = field[key], field[other] == nil,
                !self.reader.hasProblem(under: "\(field.path).\(other)")
            else { continue }
            self.report("needs \(other): a certificate is shown with its private key", at: present)
        }
        return self.tlsIdentity(field)
    }

    private mutating func tlsIdentity(_ field: Field) -> Configuration.TLSIdentity? {
        let certificate = field["certificate"].flatMap { self.tlsFile($0) }
        let privateKey = field["key"].flatMap { self.tlsFile($0) }
        guard let certificate, let privateKey else { return nil }
        return Configuration.TLSIdentity(certificate: certificate, privateKey: privateKey)
    }

    private mutating func tlsFile(_ field: Field) -> Configuration.TLSFile? {
        self.reader.readFile(field).map {
            Configuration.TLSFile(path: $0.path, content: Secret($0.bytes), mark: field.mark, key: field.path)
        }
    }
}

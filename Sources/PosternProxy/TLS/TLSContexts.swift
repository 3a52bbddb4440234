import NIOSSL
import PosternCore

/// Makes what libssl needs of the TLS that a configuration asks for. The files were read with the configuration: what
/// is wrong with what they hold comes out here.
enum TLSContexts {
    /// A file that cannot be used, and why.
    struct Problem: Error, CustomStringConvertible {
        let mark: Mark
        /// The path of the key.
        let key: String
        /// As a problem of the configuration words it, without the key path.
        let message: String

        init(mark: Mark, key: String, message: String) {
            self.mark = mark
            self.key = key
            self.message = message
        }

        init(file: Configuration.TLSFile, message: String) {
            self.init(mark: file.mark, key: file.key, message: message)
        }

        var description: String { "\(self.key): \(self.message)" }
    }

    /// What is spoken over TLS, as ALPN (RFC 7301) names it.
    static let protocols = ["http/1.1"]
    /// The same with clients, what is preferred first.
    private static let clientProtocols = ["h2", "http/1.1"]

    /// TLS 1.2 or later towards clients.
    static func server(_ tls: Configuration.ServerTLS) throws(Problem) -> NIOSSLContext {
        let (chain, key) = try Self.load(tls.identity)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = Self.clientProtocols
        switch tls.clients {
        case .anonymous:
            break
        case .requested(let authorities):
            configuration.certificateVerification = .optionalVerification
            configuration.trustRoots = .certificates(try Self.certificates(authorities))
            configuration.sendCANameList = true
        case .required(let authorities):
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try Self.certificates(authorities))
            configuration.sendCANameList = true
        }
        return try Self.context(configuration, identity: tls.identity)
    }

    /// TLS 1.2 or later towards a service, whose certificate and name are verified.
    ///
    /// - Parameters:
    ///   - protocols: what the service is asked to speak, as ALPN names it, the best first.
    ///   - upstream: where the service is named.
    static func client(
        _ tls: Configuration.ClientTLS, protocols: [String] = Self.protocols, upstream: Mark
    ) throws(Problem) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        if let authorities = tls.authorities {
            configuration.trustRoots = .certificates(try Self.certificates(authorities))
        }
        if let identity = tls.identity {
            let (chain, key) = try Self.load(identity)
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(key)
        }
        if tls.authorities == nil { try Self.checkSystem(upstream) }
        return try Self.context(configuration, identity: tls.identity, upstream: upstream)
    }

    /// The authorities of the system are read by libssl, and may be gone or broken at any time.
    private static func checkSystem(_ upstream: Mark) throws(Problem) {
        do {
            _ = try NIOSSLContext(configuration: .makeClientConfiguration())
        } catch {
            throw Problem(
                mark: upstream, key: "upstream",
                message: "the authorities of the system cannot be loaded: \(TLSTrouble.describe(error)); "
                    + "install ca-certificates, or name the service's own with tls.ca")
        }
    }

    /// The certificates of a file: at least one.
    static func certificates(_ file: Configuration.TLSFile) throws(Problem) -> [NIOSSLCertificate] {
        let bytes = file.content.bytes
        let certificates = bytes.isEmpty ? [] : (try? NIOSSLCertificate.fromPEMBytes(bytes)) ?? []
        guard !certificates.isEmpty else {
            throw Problem(file: file, message: "\"\(file.path)\" holds no usable PEM certificate")
        }
        return certificates
    }

    private static func load(
        _ identity: Configuration.TLSIdentity
    ) throws(Problem) -> (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
        (try Self.certificates(identity.certificate), try Self.privateKey(identity.privateKey))
    }

    private static func privateKey(_ file: Configuration.TLSFile) throws(Problem) -> NIOSSLPrivateKey {
        let bytes = file.content.bytes
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.contains("ENCRYPTED") else {
            throw Problem(
                file: file, message: "\"\(file.path)\" is encrypted: the proxy has no passphrase; give it a plain key")
        }
        guard !bytes.isEmpty, let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw Problem(file: file, message: "\"\(file.path)\" holds no usable PEM private key")
        }
        return key
    }

    /// - Parameter upstream: where the service is named, if it is one's and has no files of its own.
    private static func context(
        _ configuration: TLSConfiguration, identity: Configuration.TLSIdentity?,
        upstream: Mark = Mark(line: 1, column: 1)
    ) throws(Problem) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            guard let identity else {
                throw Problem(
                    mark: upstream, key: "upstream", message: "TLS cannot be set up: \(TLSTrouble.describe(error))")
            }
            let certificate = identity.certificate
            if case NIOSSLError.failedToLoadPrivateKey = error {
                throw Problem(
                    file: identity.privateKey,
                    message: "\"\(identity.privateKey.path)\" is not the key of the first certificate in "
                        + "\"\(certificate.path)\"")
            }
            throw Problem(
                file: certificate, message: "\"\(certificate.path)\" cannot be used: \(TLSTrouble.describe(error))")
        }
    }
}

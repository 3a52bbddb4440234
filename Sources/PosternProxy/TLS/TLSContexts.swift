import NIOSSL
import PosternCore

/// Makes what libssl needs of the TLS that a configuration asks for. The files were read with the configuration: what
/// is wrong with what they hold comes out here.
enum TLSContexts {
    /// A file that cannot be used, and why.
    struct Problem: Error, CustomStringConvertible {
        let file: Configuration.TLSFile
        /// As a problem of the configuration words it, without the key path.
        let message: String

        var description: String { "\(self.file.key): \(self.message)" }
    }

    /// What is spoken over TLS, as ALPN (RFC 7301) names it.
    private static let protocols = ["http/1.1"]

    /// TLS 1.2 or later towards clients.
    static func server(_ tls: Configuration.ServerTLS) throws(Problem) -> NIOSSLContext {
        let (chain, key) = try Self.load(tls.identity)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = Self.protocols
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
    static func client(_ tls: Configuration.ClientTLS) throws(Problem) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = Self.protocols
        if let authorities = tls.authorities {
            configuration.trustRoots = .certificates(try Self.certificates(authorities))
        }
        if let identity = tls.identity {
            let (chain, key) = try Self.load(identity)
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(key)
        }
        return try Self.context(configuration, identity: tls.identity)
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

    private static func context(
        _ configuration: TLSConfiguration, identity: Configuration.TLSIdentity?
    ) throws(Problem) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch NIOSSLError.failedToLoadPrivateKey {
            guard let identity else { preconditionFailure("a private key comes with an identity") }
            throw Problem(
                file: identity.privateKey,
                message: "\"\(identity.privateKey.path)\" is not the key of the first certificate in "
                    + "\"\(identity.certificate.path)\"")
        } catch {
            // Without files of its own there is nothing of the configuration that libssl could refuse.
            guard let file = identity?.certificate else { preconditionFailure("libssl cannot be set up: \(error)") }
            throw Problem(file: file, message: "\"\(file.path)\" cannot be used: \(TLSTrouble.describe(error))")
        }
    }
}

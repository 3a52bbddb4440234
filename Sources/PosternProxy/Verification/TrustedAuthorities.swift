import NIOSSL
import PosternCore

/// TLS to a server that the operator has named authorities for: nobody else is trusted.
enum TrustedAuthorities {
    /// The file has no certificate that libssl takes.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    static func client(_ file: Configuration.FileContent) throws(Problem) -> TLSConfiguration {
        let certificates = (try? NIOSSLCertificate.fromPEMBytes(file.bytes)) ?? []
        guard !certificates.isEmpty else { throw Problem(description: "\(file.path) holds no usable certificate") }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(certificates)
        return configuration
    }
}

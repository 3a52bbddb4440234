import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Says to an operator why a connection could not be made, or broke in TLS.
enum TLSTrouble {
    /// The certificate that a service has shown is for another name than the one it is known by.
    static let anotherName = NIOSSLExtraError.failedToValidateHostname

    /// Whether an error is that the peer ended the connection without a word: no alert, no close_notify. That is the peer's
    /// way to say goodbye more often than trouble, and what it cuts off shows by its framing.
    static func isUncleanEnd(_ error: any Error) -> Bool {
        (error as? NIOSSLError) == .uncleanShutdown
    }

    /// Whether an error is one of TLS, and not of the socket below it.
    static func isTLS(_ error: any Error) -> Bool {
        error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
    }

    /// A short text.
    ///
    /// - Parameters:
    ///   - certificate: what the peer showed, as far as it got.
    ///   - now: Unix seconds.
    static func describe(_ error: any Error, certificate: NIOSSLCertificate? = nil, now: Double = 0) -> String {
        switch error {
        case let error as NIOConnectionError:
            guard let first = error.connectionErrors.first else { return "the name cannot be resolved" }
            return Self.describe(first.error)
        case let error as IOError:
            return Self.describe(errno: error.errnoCode)
        case ChannelError.connectTimeout:
            return "no connection in time"
        case ChannelError.eof:
            return "the connection was closed during the handshake"
        case let error as NIOSSLExtraError where error == Self.anotherName:
            return "TLS: the certificate is for another name"
        case is NIOSSLExtraError:
            return "TLS: the certificate's name cannot be checked"
        case is NIOSSLError, is BoringSSLError:
            return "TLS: \(Self.reason(in: "\(error)", certificate, now))"
        default:
            return "\(error)"
        }
    }

    /// What libssl says, in words for what is met often.
    private static func reason(in text: String, _ certificate: NIOSSLCertificate?, _ now: Double) -> String {
        let words = text.split { $0 == ":" || $0 == " " }
        guard let marker = words.firstIndex(of: "OPENSSL_internal"), marker + 1 < words.endIndex else {
            return text.contains("EOF") ? "the connection was closed during the handshake" : "the handshake failed"
        }
        let name = String(words[marker + 1])
        guard name == "CERTIFICATE_VERIFY_FAILED" else { return name }
        return Self.validity(of: certificate, now: now) ?? "the certificate is not by a trusted authority"
    }

    /// What is wrong with the time of a certificate; nil: nothing.
    static func validity(of certificate: NIOSSLCertificate?, now: Double) -> String? {
        guard let certificate else { return nil }
        if Double(certificate.notValidAfter) < now { return "the certificate has expired" }
        if Double(certificate.notValidBefore) > now { return "the certificate is not valid yet" }
        return nil
    }

    private static func describe(errno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE: "the peer closed the connection"
        case EHOSTUNREACH, ENETUNREACH: "there is no way there"
        case ETIMEDOUT: "no connection in time"
        case ENOENT: "there is no such socket"
        case EACCES: "this user may not connect to the socket"
        default: "system error \(code)"
        }
    }
}

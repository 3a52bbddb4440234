import AsyncHTTPClient
import NIOPosix
import NIOSSL
import PosternCore
import PosternCrypto

/// Fetches an issuer's keys once, as the proxy does it in the background.
enum KeyRetrieval {
    static func fetch(_ remote: Configuration.RemoteKeys) async -> Result<KeySet<PublicKey>, ExplainKeys.Failure> {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        if let ca = remote.ca {
            do {
                var tls = TLSConfiguration.makeClientConfiguration()
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(ca.bytes))
                configuration.tlsConfiguration = tls
            } catch {
                return .failure(.init(reason: "\(ca.path) holds no usable certificate"))
            }
        }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<KeySet<PublicKey>, ExplainKeys.Failure>
        do {
            result = .success(try await KeyFetcher(client: client).fetch(remote, timeout: remote.timeout).keys)
        } catch {
            result = .failure(.init(reason: "\(error)"))
        }
        try? await client.shutdown()
        return result
    }
}

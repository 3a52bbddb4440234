import AsyncHTTPClient
import NIOPosix
import PosternCore
import PosternCrypto

/// Fetches an issuer's keys once, as the proxy does it in the background.
enum KeyRetrieval {
    static func fetch(_ remote: Configuration.RemoteKeys) async -> Result<KeySet<PublicKey>, ExplainKeys.Failure> {
        let configuration: HTTPClient.Configuration
        do {
            configuration = try KeyFetcher.clientConfiguration(remote)
        } catch {
            return .failure(.init(reason: "\(error)"))
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

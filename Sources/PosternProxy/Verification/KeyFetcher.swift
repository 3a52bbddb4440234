import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import PosternCore
import PosternCrypto

/// Fetches an issuer's key set over HTTP, with discovery where the configuration asks for it.
struct KeyFetcher: Sendable {
    /// Why there are no keys.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What a fetch brought.
    struct Fetched: Sendable {
        var keys: KeySet<PublicKey>
        /// The same keys as they were written, to see which ones are gone.
        var documents: [JWK]
        /// Nanoseconds of the answer's `Cache-Control: max-age`.
        var maximumAge: Int64?
        /// Keys that were left out, and why.
        var skipped: [String]
    }

    /// Bytes that an answer may have.
    static let sizeLimit = 1 << 20
    let client: HTTPClient

    /// How an issuer is asked: no redirects, since the operator names the place; and with `ca`, nobody else is trusted.
    static func clientConfiguration(_ remote: Configuration.RemoteKeys) throws -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.idleTimeout = .seconds(5)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        configuration.tlsConfiguration = try remote.ca.map { try TrustedAuthorities.client($0) }
        return configuration
    }

    /// Fetches the keys.
    ///
    /// - Parameter timeout: nanoseconds for all of it.
    func fetch(_ remote: Configuration.RemoteKeys, timeout: Int64) async throws -> Fetched {
        let deadline = NIODeadline.now() + .nanoseconds(timeout)
        switch remote.source {
        case .url(let url):
            return try await self.keys(at: url, remote, deadline)
        case .discovery(let issuer):
            return try await self.keys(at: try await self.discover(issuer, remote, deadline), remote, deadline)
        }
    }

    private func keys(
        at url: String, _ remote: Configuration.RemoteKeys, _ deadline: NIODeadline
    ) async throws -> Fetched {
        let (bytes, headers) = try await self.get(url, remote, deadline)
        let set: JWKSet
        do {
            set = try JWKSet(bytes.span.bytes)
        } catch {
            throw Failure(description: "\(url) is not a key set: \(error.description)")
        }
        let loaded = KeySet<PublicKey>.load(set)
        guard !loaded.keys.isEmpty else { throw Failure(description: "the key set at \(url) has no usable key") }
        return Fetched(
            keys: loaded.keys, documents: set.keys, maximumAge: Self.maximumAge(of: headers),
            skipped: loaded.skipped.map(\.reason))
    }

    // MARK: - Discovery (OpenID Connect Discovery 4, RFC 8414 3)

    private func discover(
        _ issuer: String, _ remote: Configuration.RemoteKeys, _ deadline: NIODeadline
    ) async throws -> String {
        var failures: [String] = []
        for url in Self.metadataURLs(issuer) {
            do {
                let (bytes, _) = try await self.get(url, remote, deadline)
                return try Self.keysURL(bytes, issuer: issuer, url: url, cleartext: remote.allowsCleartext)
            } catch {
                failures.append(String(describing: error))
            }
        }
        throw Failure(description: failures.joined(separator: "; "))
    }

    /// Where an issuer's metadata may be: the OpenID form appends, the OAuth form inserts before the path.
    static func metadataURLs(_ issuer: String) -> [String] {
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        var urls = ["\(base)/.well-known/openid-configuration"]
        let afterScheme = base.firstIndex(of: "/").map { base[$0...].dropFirst(2) } ?? base[...]
        if let slash = afterScheme.firstIndex(of: "/") {
            urls.append("\(base[..<slash])/.well-known/oauth-authorization-server\(base[slash...])")
        } else {
            urls.append("\(base)/.well-known/oauth-authorization-server")
        }
        return urls
    }

    private static func keysURL(_ bytes: [UInt8], issuer: String, url: String, cleartext: Bool) throws -> String {
        guard let metadata = try? JSONReader.parse(bytes.span.bytes) else {
            throw Failure(description: "the metadata at \(url) is not JSON")
        }
        // RFC 8414 section 3.3: metadata of another issuer is not to be used.
        guard metadata["issuer"]?.string?.utf8.elementsEqual(issuer.utf8) == true else {
            throw Failure(description: "the metadata at \(url) is not that of \(issuer)")
        }
        guard let keys = metadata["jwks_uri"]?.string else {
            throw Failure(description: "the metadata at \(url) names no jwks_uri")
        }
        guard keys.hasPrefix("https://") || (cleartext && keys.hasPrefix("http://")) else {
            throw Failure(description: "the metadata at \(url) names a jwks_uri that is not https")
        }
        return keys
    }

    // MARK: - HTTP

    private func get(
        _ url: String, _ remote: Configuration.RemoteKeys, _ deadline: NIODeadline
    ) async throws -> ([UInt8], HTTPHeaders) {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/json, application/jwk-set+json")
        request.headers.add(name: "User-Agent", value: "postern")
        for header in remote.headers {
            request.headers.add(name: header.name, value: String(decoding: header.value.bytes, as: UTF8.self))
        }
        let response = try await self.client.execute(request, deadline: deadline)
        guard response.status == .ok else {
            throw Failure(description: "\(url) answered \(response.status.code)")
        }
        let body = try await response.body.collect(upTo: Self.sizeLimit)
        guard NIODeadline.now() < deadline else { throw Failure(description: "\(url) took too long") }
        return (Array(body.readableBytesView), response.headers)
    }

    private static func maximumAge(of headers: HTTPHeaders) -> Int64? {
        headers["Cache-Control"].isEmpty
            ? nil : CacheControl.maximumAge(headers["Cache-Control"].joined(separator: ", "))
    }
}

import COpenSSL
import PosternCore

/// Hash functions (FIPS 180-4).
public enum Digest {
    /// The SHA-256 digest of `bytes`: 32 octets.
    public static func sha256(_ bytes: RawSpan) -> [UInt8] {
        Self.digest(bytes, .sha256)
    }

    /// The SHA-256 digest of `bytes`: 32 octets.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        Self.digest(bytes.span.bytes, .sha256)
    }

    /// The digest in lower-case hexadecimal, as the revocation channel and logs write it.
    public static func sha256Hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in Self.sha256(bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func digest(_ bytes: RawSpan, _ hash: HashFunction) -> [UInt8] {
        let result = withBytes(bytes) { input in
            filled(hash.length) { output in
                EVP_Digest(input, bytes.byteCount, output, nil, hash.pointer, nil) == 1
            }
        }
        // These cannot fail on any input: only a libcrypto without them could, and such a build cannot run Postern.
        guard let result else { preconditionFailure("libcrypto has no SHA-1 or SHA-2") }
        return result
    }
}

import COpenSSL
import PosternCore

// MARK: - PEM

extension PublicKey {
    /// The public keys of a PEM document (RFC 7468), in its order: `PUBLIC KEY` (SPKI) and `CERTIFICATE` blocks, one or
    /// several. Of a certificate the key alone counts: neither its dates nor its chain are looked at, for the operator
    /// named the file. Text between the blocks is ignored. A private key is refused, whatever stands beside it.
    public static func fromPEM(_ bytes: [UInt8]) throws(CryptoError) -> [PublicKey] {
        guard bytes.count <= 1 << 20 else { throw .badKey("the PEM document is larger than 1 MiB") }
        // libcrypto reads from the array in place, so all reading happens while its bytes are lent.
        return try bytes.withUnsafeBufferPointer { (buffer) throws(CryptoError) -> [PublicKey] in
            guard let base = buffer.baseAddress, let reader = BIO_new_mem_buf(base, Int32(buffer.count)) else {
                throw .badKey("the PEM document is empty")
            }
            defer { BIO_free(reader) }
            var keys: [PublicKey] = []
            while let block = try Self.nextBlock(reader) { keys.append(try Self.key(of: block)) }
            guard !keys.isEmpty else { throw .badKey("the PEM document has no PUBLIC KEY or CERTIFICATE block") }
            return keys
        }
    }

    private struct Block {
        var label: String
        var content: [UInt8]
    }

    /// The next block, or nil at the end of the document.
    private static func nextBlock(_ reader: OpaquePointer) throws(CryptoError) -> Block? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var length = 0
        guard PEM_read_bio(reader, &name, &header, &data, &length) == 1, let name, let data else {
            let atEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
            ERR_clear_error()
            if atEnd { return nil }
            throw .badKey("a block of the PEM document is malformed")
        }
        defer {
            CRYPTO_free(name, #file, #line)
            CRYPTO_free(header, #file, #line)
            CRYPTO_free(data, #file, #line)
        }
        return Block(
            label: String(cString: name), content: Array(UnsafeBufferPointer(start: data, count: max(length, 0))))
    }

    private static func key(of block: Block) throws(CryptoError) -> PublicKey {
        let pkey: OpaquePointer? = try withBytes(block.content) { bytes throws(CryptoError) in
            var cursor: UnsafePointer<UInt8>? = bytes
            switch block.label {
            case "PUBLIC KEY":
                return d2i_PUBKEY(nil, &cursor, block.content.count)
            case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
                guard let certificate = d2i_X509(nil, &cursor, block.content.count) else { return nil }
                defer { X509_free(certificate) }
                return X509_get_pubkey(certificate)
            case let label where label.hasSuffix("PRIVATE KEY"):
                throw .badKey("this is a private key: give the public key alone (openssl pkey -pubout)")
            case "RSA PUBLIC KEY":
                throw .badKey("this is a PKCS #1 key: give it as PUBLIC KEY (openssl rsa -RSAPublicKey_in -pubout)")
            case let label:
                throw .badKey("the PEM block \"\(label)\" is neither a PUBLIC KEY nor a CERTIFICATE")
            }
        }
        guard let pkey else {
            ERR_clear_error()
            throw .badKey("the PEM block \"\(block.label)\" holds no key that can be read")
        }
        do {
            return PublicKey(adopting: pkey, algorithms: JWK.algorithms(for: try keyMaterial(pkey)))
        } catch {
            EVP_PKEY_free(pkey)
            throw error
        }
    }
}

// Keys that are in the configuration or beside it are looked into at load: a key that cannot be used should not wait
// for the first token to be found. PEM is left to libcrypto, which the core does not have.
extension ConfigurationDecoder {
    mutating func checkKeys(_ file: Configuration.FileContent, at field: Field) {
        guard !file.isPEM else {
            if file.contains("PRIVATE KEY-----") {
                self.report("holds a private key: a proxy needs the public one only", at: field)
            }
            return
        }
        do {
            self.checkKeys(try JSONReader.parse(file.bytes.span.bytes), at: field)
        } catch {
            let reason = file.bytes.isEmpty ? "it is empty" : "it is not JSON: \(error)"
            self.report("holds neither PEM nor a JWK set nor a JWK: \(reason)", at: field)
        }
    }

    /// A JWK set or a JWK. Of a set one usable key is enough.
    mutating func checkKeys(_ json: JSONValue, at field: Field) {
        guard json["keys"] != nil else { return self.checkKey(json, at: field) }
        do throws(JWKSetProblem) {
            let set = try JWKSet(json: json)
            guard !set.keys.isEmpty else {
                let reason = set.skipped.first.map { ": key 0: \($0.reason)" } ?? ""
                return self.report("holds no usable key\(reason)", at: field)
            }
            for skipped in set.skipped {
                self.warn("key \(skipped.index) is not used: \(skipped.reason)", at: field.mark, path: field.path)
            }
        } catch {
            self.report("is not a JWK set: \(error)", at: field)
        }
    }

    private mutating func checkKey(_ json: JSONValue, at field: Field) {
        guard json["kty"] != nil else {
            return self.report("must be a JWK (with \"kty\") or a JWK set (with \"keys\")", at: field)
        }
        do throws(JWKProblem) {
            if try JWK(json: json).algorithms.isEmpty {
                self.report("is not a key for signatures: look at its use, key_ops and alg", at: field)
            }
        } catch {
            self.report("is not a usable JWK: \(error)", at: field)
        }
    }
}

extension Configuration.FileContent {
    /// Whether the bytes begin as PEM does (RFC 7468), comments before it aside: JSON begins with a brace.
    public var isPEM: Bool {
        self.bytes.first { $0 > 0x20 } != UInt8(ascii: "{") && self.contains("-----BEGIN ")
    }

    /// Whether the bytes hold this text.
    func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard wanted.count <= self.bytes.count else { return false }
        return (0...(self.bytes.count - wanted.count)).contains { self.bytes[$0...].starts(with: wanted) }
    }
}

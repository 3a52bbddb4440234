import PosternCore
import PosternCrypto
import Testing

/// The examples of RFC 7515 appendix A, RFC 8037 appendix A and RFC 7638 section 3.1.
@Suite("Signatures of the RFCs")
struct RFCVectorTests {
    private static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    private static let rsaModulus = """
        ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
        T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
        dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia\
        GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ
        """

    private static let rsaSignature = """
        cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9\
        uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB\
        _eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq\
        Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
        """

    private func jwk(_ json: String) throws -> PublicKey {
        try PublicKey(jwk: JWK(json: JSONReader.parse(Array(json.utf8).span.bytes)))
    }

    private func verify(_ algorithm: SignatureAlgorithm, _ key: PublicKey, _ token: String) throws -> Bool {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        let signature = try decodeBase64URL(String(parts[2]))
        let message = Array("\(parts[0]).\(parts[1])".utf8)
        return OpenSSLVerifier().verify(
            algorithm, key: key, message: message.span.bytes, signature: signature.span.bytes)
    }

    @Test func hs256OfRFC7515A1IsValid() throws {
        let text = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        let key = try PublicKey(secret: decodeBase64URL(text))
        let token =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(Self.payload).dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        #expect(try self.verify(.hs256, key, token))
        #expect(try !self.verify(.hs512, key, token))
        #expect(try !self.verify(.rs256, key, token))
    }

    @Test func rs256OfRFC7515A2IsValid() throws {
        let key = try self.jwk(#"{"kty":"RSA","n":"\#(Self.rsaModulus)","e":"AQAB"}"#)
        let token = "eyJhbGciOiJSUzI1NiJ9.\(Self.payload).\(Self.rsaSignature)"
        #expect(try self.verify(.rs256, key, token))
        #expect(try !self.verify(.ps256, key, token))
        #expect(try !self.verify(.hs256, key, token))
    }

    @Test func es256OfRFC7515A3IsValid() throws {
        let key = try self.jwk(
            """
            {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
             "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
            """)
        let token = """
            eyJhbGciOiJFUzI1NiJ9.\(Self.payload).DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA\
            pmWQxfKTUJqPP3-Kg6NU1Q
            """
        #expect(try self.verify(.es256, key, token))
    }

    @Test func es512OfRFC7515A4IsValid() throws {
        let key = try self.jwk(
            """
            {"kty":"EC","crv":"P-521",
             "x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
             "y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}
            """)
        let token = """
            eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2\
            SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXo\
            lLzeO_Jn
            """
        #expect(try self.verify(.es512, key, token))
    }

    @Test func ed25519OfRFC8037A4IsValid() throws {
        let key = try self.jwk(#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)
        let token = """
            eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6\
            dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg
            """
        #expect(try self.verify(.eddsa, key, token))
    }

    @Test func theUnsecuredTokenOfRFC7515A5IsRefused() throws {
        let token = Array("eyJhbGciOiJub25lIn0.\(Self.payload).".utf8)
        #expect(try CompactToken(token.span.bytes).algorithm == nil)
    }

    @Test func ed25519KeyOfRFC8037A1SignsAsInA4() throws {
        // PKCS #8 around the private key of appendix A.1 (RFC 8410 section 7).
        let seed = try decodeBase64URL("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        let key = try SigningKey(pkcs8: hex("302e020100300506032b657004220420") + seed, algorithm: .eddsa)
        let signature = try key.sign(Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8))
        #expect(
            Base64URL.encode(signature)
                == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
        #expect(key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }
}

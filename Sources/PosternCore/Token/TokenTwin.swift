/// The other form of a token that says and proves the same.
///
/// An ECDSA signature (r, s) has a twin that verifies as well: (r, n − s), n being the order of the curve. Whoever holds a
/// token can so make one with another digest, and a revocation by digest has to end both. The other algorithms have one
/// signature that its holder can make.
public enum TokenTwin {
    /// The octets of the twin; nil for anything but a compact JWS with an ECDSA signature of the right length.
    /// - Parameter bytes: Exactly the token.
    public static func make(of bytes: RawSpan) -> [UInt8]? {
        guard let token = try? CompactToken(bytes), let order = Self.order(for: token.algorithm),
            token.signature.count == 2 * order.count,
            let other = Self.difference(order, token.signature[order.count...])
        else { return nil }
        let signature = Array(token.signature[..<order.count]) + other
        return bytes.slice(token.signingInput).array() + [UInt8(ascii: ".")] + Base64URL.encode(signature).utf8
    }

    /// minuend − subtrahend, both of one length and with the highest octet first; nil if that is negative.
    private static func difference(_ minuend: [UInt8], _ subtrahend: ArraySlice<UInt8>) -> [UInt8]? {
        var result = minuend
        var borrow = 0
        for (index, octet) in zip(minuend.indices, subtrahend).reversed() {
            let value = Int(minuend[index]) - Int(octet) - borrow
            borrow = value < 0 ? 1 : 0
            result[index] = UInt8(truncatingIfNeeded: value)
        }
        return borrow == 0 ? result : nil
    }

    /// The order of the algorithm's curve (SEC 2, sections 2.4.2, 2.5.1 and 2.6.1).
    private static func order(for algorithm: SignatureAlgorithm?) -> [UInt8]? {
        let words: [UInt64]
        switch algorithm {
        case .es256:
            words = [0xFFFF_FFFF_0000_0000, 0xFFFF_FFFF_FFFF_FFFF, 0xBCE6_FAAD_A717_9E84, 0xF3B9_CAC2_FC63_2551]
        case .es384:
            words = [
                0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0xC763_4D81_F437_2DDF,
                0x581A_0DB2_48B0_A77A, 0xECEC_196A_CCC5_2973,
            ]
        case .es512:
            words = [
                0x01FF, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFA,
                0x5186_8783_BF2F_966B, 0x7FCC_0148_F709_A5D0, 0x3BB5_C9B8_899C_47AE, 0xBB6F_B71E_9138_6409,
            ]
        default: return nil
        }
        let octets = words.flatMap { word in
            stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
        // The first word of P-521 has six octets too many.
        return algorithm == .es512 ? Array(octets.dropFirst(6)) : octets
    }
}

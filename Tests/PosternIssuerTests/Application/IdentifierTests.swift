import Testing

@testable import PosternIssuer

@Suite struct IdentifierTests {
    @Test("A new UUID is random, of version 4, and in lower case")
    func fresh() {
        let all = (0..<50).map { _ in Identifier.uuid() }
        #expect(Set(all).count == 50)
        for text in all {
            #expect(Identifier.isUUID(text) && text == text.lowercased())
            let digits = Array(text)
            #expect(digits[14] == "4" && "89ab".contains(digits[19]))
        }
    }

    @Test(
        "What has the form of a UUID",
        arguments: [
            ("01234567-89ab-cdef-0123-456789abcdef", true), ("01234567-89AB-CDEF-0123-456789ABCDEF", true),
            ("0123456789abcdef0123456789abcdef", false), ("01234567-89ab-cdef-0123-456789abcdeg", false),
            ("01234567-89ab-cdef-0123-456789abcdef-", false), ("", false), ("mt5-api-service", false),
        ])
    func form(_ text: String, _ isOne: Bool) {
        #expect(Identifier.isUUID(text) == isOne)
    }
}

import Testing

@testable import PosternCore

/// Finds the credential of a request whose only Authorization value and query are these.
private func find(_ value: String, query: String = "", count: Int = 1, limit: Int = 8192) -> Credential {
    let bytes = Array((value + query).utf8)
    let end = value.utf8.count
    return Credential.find(
        bytes.span.bytes, authorization: ByteRange(0, end), count: count, query: ByteRange(end, bytes.count),
        limit: limit)
}

@Suite struct CredentialTests {
    @Test(
        "one bearer token is found whatever the scheme's case and the number of spaces",
        arguments: [
            ("Bearer abc", 7), ("bearer abc", 7), ("BEARER abc", 7), ("bEaReR   abc", 9), ("Bearer a", 7),
            ("Bearer abc=", 7), ("Bearer abc==", 7), ("Bearer eyJ.eyJ.x-_~+/", 7),
            ("Bearer ABCDEFGHIJKLMNOP0123456789", 7),
        ])
    func bearerTokenIsFound(_ value: String, _ start: Int) {
        #expect(find(value) == .token(ByteRange(start, value.utf8.count)))
    }

    @Test(
        "another scheme is no credential",
        arguments: [
            "Basic dXNlcjpwdw==", "Basic abc, Bearer abc", "Digest x", "Bearerabc", "Bearer-x abc", "BearerX",
            "Beare abc",
            "Bear", "", "abc", "DPoP abc", "Bearer! abc", ", Bearer abc",
        ])
    func anotherSchemeIsNone(_ value: String) {
        #expect(find(value) == .none)
    }

    @Test(
        "a malformed bearer value is refused",
        arguments: [
            "Bearer", "Bearer ", "Bearer   ", "Bearer\tabc", "Bearer,abc", "Bearer=abc", "Bearer abc def",
            "Bearer abc,",
            "Bearer abc, Bearer def", "Bearer \"abc\"", "Bearer =", "Bearer ==", "Bearer a=b", "Bearer =abc",
            "Bearer abc\u{00}", "Bearer caf\u{E9}", "Bearer abc;", "Bearer abcdefgh\u{FF}jklmnopq", "Bearer a:b",
            "Bearer abc\u{7F}", "Bearer \tabc", "Bearer abcdefghi klmnopqrst", "Bearer token=\"abc\"", "Bearer [abc]",
        ])
    func malformedBearerIsRefused(_ value: String) {
        #expect(find(value) == .refused(.malformed))
    }

    @Test func noHeaderIsNone() {
        #expect(find("", count: 0) == .none)
        #expect(find("", query: "access_token=abc", count: 0) == .none)
    }

    @Test func twoHeadersAreRefusedWhateverTheyHold() {
        #expect(find("Bearer abc", count: 2) == .refused(.repeatedHeader))
        #expect(find("Basic abc", count: 2) == .refused(.repeatedHeader))
        #expect(find("", count: 3) == .refused(.repeatedHeader))
    }

    @Test func tokenMayBeExactlyAsLongAsTheLimit() {
        let token = String(repeating: "a", count: 64)
        #expect(find("Bearer " + token, limit: 64) == .token(ByteRange(7, 71)))
        #expect(find("Bearer " + token, limit: 63) == .refused(.tooLong))
    }

    @Test(
        "a token in the header and in the query is refused",
        arguments: [
            "access_token=x", "access_token=", "access_token", "a=b&access_token=x", "a=b&access_token",
            "&&access_token=",
            "access%5Ftoken=x", "access%5ftoken=x", "%61ccess_token=x", "%61%63%63%65%73%73%5f%74%6f%6b%65%6e",
            "a=b;access_token=x", "access_token;a", "access_token&a", "a&b&c&access_tok%65n=x",
        ])
    func twoPlacesAreRefused(_ query: String) {
        #expect(find("Bearer abc", query: query) == .refused(.twoPlaces))
        #expect(find("Basic abc", query: query) == .none)
    }

    @Test(
        "other parameters are none of our business",
        arguments: [
            "", "a=access_token", "access_token2=x", "xaccess_token=x", "Access_Token=x", "access-token=x",
            "access_toke",
            "access%255Ftoken=x", "access_token%00=x", "a=b&token=x", "access_token%3Dx", "access_token[]=x", "&", ";",
            "%", "a", "%61", "access_token%", "a%26access_token=x",
        ])
    func otherParametersPass(_ query: String) {
        #expect(find("Bearer abc", query: query) == .token(ByteRange(7, 10)))
    }

    @Test func everyProblemTellsTheDeveloperOneSentence() {
        #expect(Set(CredentialProblem.allCases.map(\.detail)).count == CredentialProblem.allCases.count)
        for problem in CredentialProblem.allCases { #expect(problem.detail.hasSuffix(".")) }
    }
}

private func isToken(_ bytes: [UInt8]) -> Bool {
    BearerToken.isValid(bytes.span.bytes, ByteRange(0, bytes.count))
}

@Suite struct BearerTokenTests {
    @Test("eight bytes at once say the same as one by one, for every byte at every place")
    func wordsAgreeWithBytes() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<8 {
                for filler in [UInt8(ascii: "a"), UInt8(ascii: "~"), UInt8(ascii: "-")] {
                    let word = (0..<8).reduce(UInt64(0)) { word, i in
                        word | UInt64(i == place ? byte : filler) << UInt64(i * 8)
                    }
                    #expect(BearerToken.areTokenBytes(word) == BearerToken.isTokenByte(byte), "\(byte) at \(place)")
                    let isRare = "+~".utf8.contains(byte) || filler == UInt8(ascii: "~")
                    let isCommon = BearerToken.isTokenByte(byte) && !isRare
                    #expect(BearerToken.areCommonBytes(word) == isCommon, "\(byte) at \(place)")
                }
            }
        }
    }

    @Test func tokenBytesAreThoseOfTheGrammar() {
        let grammar = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(BearerToken.isTokenByte(byte) == grammar.contains(byte), "\(byte)")
        }
    }

    @Test("a bad byte is seen at every place of tokens of every length up to 40")
    func badByteIsSeenEverywhere() {
        for count in 1...40 {
            let good = [UInt8](repeating: UInt8(ascii: "k"), count: count)
            #expect(isToken(good))
            for place in 0..<count {
                var bad = good
                bad[place] = UInt8(ascii: ",")
                #expect(!isToken(bad), "\(place) of \(count)")
            }
        }
    }
}

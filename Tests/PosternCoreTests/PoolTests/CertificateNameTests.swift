import PosternCore
import Testing

@Suite struct CertificateNameTests {
    @Test(arguments: [
        ("a.test", "a.test"), ("A.test", "a.TEST"), ("a.test", "a.test."), ("a.b.test", "*.b.test"),
        ("localhost", "localhost"),
        ("x1.b.test", "*.B.test"),
    ])
    func nameIsMatched(name: String, pattern: String) {
        #expect(CertificateName.matches(name, pattern: Array(pattern.utf8)))
    }

    @Test(arguments: [
        ("a.test", "b.test"), ("a.test", "a.test.evil"), ("a.test", "xa.test"), ("a.test", ""), ("b.test", "*.b.test"),
        ("x.a.b.test", "*.b.test"), ("a.test", "*.test"), ("a.b.test", "a*.b.test"), ("a.b.test", "*a.b.test"),
        ("a.b.test", "a.*.test"), ("a.test", "*"), ("a.b.test", "*.*.test"), ("a.b.test", "*."), ("localhost", "*"),
        ("a.test", "a.test\0.evil"), ("a{test", "a[test"),
    ])
    func otherNameIsNot(name: String, pattern: String) {
        #expect(!CertificateName.matches(name, pattern: Array(pattern.utf8)))
    }
}

import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

@Suite struct StatusPageTests {
    @Test func pageIsWhole() {
        #expect(StatusPage.html.hasPrefix("<!doctype html>\n<html lang=\"en\">"))
        #expect(StatusPage.html.contains("<style>" + StatusPage.style + "</style>"))
        #expect(StatusPage.html.contains("<script>" + StatusPage.script + "</script>"))
        #expect(!StatusPage.html.contains("@style@") && !StatusPage.html.contains("@script@"))
        #expect(StatusPage.html.hasSuffix("</html>\n"))
    }

    @Test func nothingEndsTheScriptOrTheStyleEarly() {
        #expect(!StatusPage.script.contains("</script") && !StatusPage.script.contains("<!--"))
        #expect(!StatusPage.style.contains("</"))
    }

    @Test func nothingIsAskedOfAnybodyElse() {
        let namespace = "http://www.w3.org/2000/svg"
        #expect(!StatusPage.html.replacing(namespace, with: "").contains("://"))
        #expect(!StatusPage.style.contains("url(") && !StatusPage.style.contains("@import"))
    }

    /// The security policy would stop each of them; the page is to work with it.
    @Test(arguments: [
        "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "\"style\"",
    ])
    func scriptMakesNoMarkupOfText(word: String) {
        #expect(!StatusPage.script.contains(word))
    }

    @Test func markupHasNoHandlersAndNoStyles() throws {
        let markup = StatusPage.html.replacing(StatusPage.script, with: "").replacing(StatusPage.style, with: "")
        #expect(!markup.contains(" style="))
        #expect(markup.firstMatch(of: try Regex(" on[a-z]+=")) == nil)
    }

    @Test func securityPolicyNamesThisScriptAndThisStyle() {
        let directives = StatusPage.securityPolicy.split(separator: "; ").map(String.init)
        #expect(directives.first == "default-src 'none'")
        for (name, text) in [("script-src", StatusPage.script), ("style-src", StatusPage.style)] {
            let digest = Base64URL.encode(Digest.sha256(Array(text.utf8)))
            let hash = digest.replacing("-", with: "+").replacing("_", with: "/") + "="
            #expect(directives.contains("\(name) 'sha256-\(hash)'"))
            #expect(hash.utf8.count == 44)
        }
        for directive in ["connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"] {
            #expect(directives.contains(directive))
        }
        #expect(!StatusPage.securityPolicy.contains("unsafe"))
    }

    @Test func pageIsSmall() {
        #expect(StatusPage.html.utf8.count < 64 * 1024)
    }
}

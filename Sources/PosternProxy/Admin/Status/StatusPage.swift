import NIOHTTP1
import PosternCore
import PosternCrypto

/// The status page: one HTML document with its style and its script in it, made from the files in `Page/`, which the
/// program carries. It asks nobody but the listener it came from, and its policy lets it do nothing else.
enum StatusPage {
    /// The scripts in the order in which the page runs them: one program.
    private static let scripts = [
        PackageResources.model_js, PackageResources.elements_js, PackageResources.plots_js,
        PackageResources.glance_js, PackageResources.parts_js, PackageResources.policy_js,
        PackageResources.explain_js, PackageResources.main_js,
    ]

    static let script = Self.scripts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    static let style = String(decoding: PackageResources.status_css, as: UTF8.self)
    static let html = String(decoding: PackageResources.status_html, as: UTF8.self)
        .replacing("@style@", with: Self.style).replacing("@script@", with: Self.script)

    /// Nothing but this script and this style, no request but to the page's own origin, in no frame, and no text that
    /// becomes markup.
    static let securityPolicy = [
        "default-src 'none'", "script-src \(Self.source(Self.script))", "style-src \(Self.source(Self.style))",
        "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'",
    ].joined(separator: "; ")

    static let reply = AdminReply(
        status: .ok, contentType: "text/html; charset=utf-8", body: Self.html,
        headers: [
            ("Content-Security-Policy", Self.securityPolicy), ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ])

    /// A hash source (CSP 3, section 2.3.1): base64 of SHA-256, which ends with one `=`.
    private static func source(_ text: String) -> String {
        let digest = Base64URL.encode(Digest.sha256(Array(text.utf8)))
        return "'sha256-\(digest.replacing("-", with: "+").replacing("_", with: "/"))='"
    }
}

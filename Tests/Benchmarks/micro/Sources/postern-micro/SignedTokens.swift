/// Tokens of one caller, signed once, and the public keys that fit them: the same bytes in every run. The private keys were
/// thrown away.
enum SignedTokens {
    /// A moment (Unix seconds) at which the tokens are valid.
    static let now = 1_800_000_000.0

    /// Signed by the key `rsa-1`.
    static let rs256 = """
        eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6InJzYS0xIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwi\
        YXVkIjpbIm10NS1hcGkiXSwic3ViIjoiNWYyYjdhNTItNmEzZi00YTRlLTlhNTctMGQ1YjhjMmY5ZTExIiwiY2xpZW50X2lkIjoi\
        dHJhZGluZy1kYXNoYm9hcmQiLCJ1c2VybmFtZSI6ImFkYS5sb3ZlbGFjZSIsImlzX3RydXN0ZWQiOmZhbHNlLCJyb2xlcyI6WyJ0\
        cmFkZXIiLCJhbmFseXN0Il0sInNjb3BlIjoidHJhZGU6cmVhZCB0cmFkZTpvcGVuIHRyYWRlOmNsb3NlIGFjY291bnQ6cmVhZCBh\
        Y2NvdW50OmJhbGFuY2UgbWFya2V0OmRhdGEgbm90aWZpY2F0aW9uOnNlbmQiLCJpYXQiOjE3NjcyMjU2MDAsIm5iZiI6MTc2NzIy\
        NTYwMCwiZXhwIjo0MTAyNDQ0ODAwLCJqdGkiOiIwZjhmYWQ1Yi1kOWNiLTQ2OWYtYTE2NS03MDg2NzcyODk1MGUiLCJ0ZW5hbnQi\
        OiI5ZjRjMWU3ZS0xZGY2LTRjMTEtOGYwZS0xYTJiM2M0ZDVlNmYifQ.Ejcin9RrMHxaam49sRyvrRdUIKTrHS9KUZu0eEYS8IxkX\
        8x-_TNUu_yt7MbKRTEWGQFQ0J1dLYYM6L0TbBD0lhuA-cZoOvOoZUwzWmTfJkjZhg-lIDl6co-gfxfLczrP4b5OWVPYGB6r39dCO\
        OOaUGM2wVFfRDB2iMLFBy6MmLQzhOM092OajJIRiLU7ODWyM9-bxMGe8j8GW7fmhNO8ihzebvgaBjL5-7hRyzcWm1JlmMA1e_N5q\
        zzKasx_1dnheMtMZpTopAnMXfqIwDl-LdLeQehBcQ3KJ16xOrNDeuYYcRxS7h2WKXdmbDAF3zSTNUNv0SZpAW38tWCAxmrtAQ
        """

    /// Signed by the key `ec-1`.
    static let es256 = """
        eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImVjLTEifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0IiwiY\
        XVkIjpbIm10NS1hcGkiXSwic3ViIjoiNWYyYjdhNTItNmEzZi00YTRlLTlhNTctMGQ1YjhjMmY5ZTExIiwiY2xpZW50X2lkIjoid\
        HJhZGluZy1kYXNoYm9hcmQiLCJ1c2VybmFtZSI6ImFkYS5sb3ZlbGFjZSIsImlzX3RydXN0ZWQiOmZhbHNlLCJyb2xlcyI6WyJ0c\
        mFkZXIiLCJhbmFseXN0Il0sInNjb3BlIjoidHJhZGU6cmVhZCB0cmFkZTpvcGVuIHRyYWRlOmNsb3NlIGFjY291bnQ6cmVhZCBhY\
        2NvdW50OmJhbGFuY2UgbWFya2V0OmRhdGEgbm90aWZpY2F0aW9uOnNlbmQiLCJpYXQiOjE3NjcyMjU2MDAsIm5iZiI6MTc2NzIyN\
        TYwMCwiZXhwIjo0MTAyNDQ0ODAwLCJqdGkiOiIwZjhmYWQ1Yi1kOWNiLTQ2OWYtYTE2NS03MDg2NzcyODk1MGUiLCJ0ZW5hbnQiO\
        iI5ZjRjMWU3ZS0xZGY2LTRjMTEtOGYwZS0xYTJiM2M0ZDVlNmYifQ.OryOaEfRLmUmYlO6PdLJlSoUHobSAai6rFb_OwOgRYyv3C\
        zXfyxNbjKGec2VGxnks4KADBigy-78peGVSm3bHA
        """

    /// Signed by the key `ed-1`.
    static let eddsa = """
        eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImVkLTEifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0IiwiY\
        XVkIjpbIm10NS1hcGkiXSwic3ViIjoiNWYyYjdhNTItNmEzZi00YTRlLTlhNTctMGQ1YjhjMmY5ZTExIiwiY2xpZW50X2lkIjoid\
        HJhZGluZy1kYXNoYm9hcmQiLCJ1c2VybmFtZSI6ImFkYS5sb3ZlbGFjZSIsImlzX3RydXN0ZWQiOmZhbHNlLCJyb2xlcyI6WyJ0c\
        mFkZXIiLCJhbmFseXN0Il0sInNjb3BlIjoidHJhZGU6cmVhZCB0cmFkZTpvcGVuIHRyYWRlOmNsb3NlIGFjY291bnQ6cmVhZCBhY\
        2NvdW50OmJhbGFuY2UgbWFya2V0OmRhdGEgbm90aWZpY2F0aW9uOnNlbmQiLCJpYXQiOjE3NjcyMjU2MDAsIm5iZiI6MTc2NzIyN\
        TYwMCwiZXhwIjo0MTAyNDQ0ODAwLCJqdGkiOiIwZjhmYWQ1Yi1kOWNiLTQ2OWYtYTE2NS03MDg2NzcyODk1MGUiLCJ0ZW5hbnQiO\
        iI5ZjRjMWU3ZS0xZGY2LTRjMTEtOGYwZS0xYTJiM2M0ZDVlNmYifQ.kmbyclLCkdC4p_K3f2zQjc6zkx93XwC0M3vg1HT7jCbTf0\
        zK6eUy_S6DfTwlrwrYdmddLXZvVgXEctfUss0nAA
        """

    /// The public keys, as an issuer publishes them.
    static let keys = """
        {"keys":[{"kty":"RSA","n":"vTpU-_eP4eoK3wcCb_sTihKx3m12QBXMmSMpxMillhPTZGtYE2va3dIq7n2-8xfn01X95AtOb\
        Z5fNDmPqtmUMNL7aTO90HrTJAnXcEcWOWAwlwkdudFJ-O7uVSyd0k_lSkmmjdyDZOwvlRwMFTGac2XBoReCcTUp_2w0ZCR8C944L\
        DabyNjzPDZC9pPE_1eyz74UqDlFAQ0bW60ww-vZvzFwuGJUNkm-t3-dibfocairCqJrEf2fztlJpvTCxpZg7mPASAvfYothktOHV\
        3ef6k17b23BehFrAbl1m_F4T6cASYMxCsH16gUvRdVe9eEHi-6wWiaVcef5a8gQi9UVnQ","e":"AQAB","kid":"rsa-1","alg\
        ":"RS256","use":"sig"},{"kty":"EC","crv":"P-256","x":"FOGdnj1I3StDXDiCgpMdo8CvhWHbUWvPqcZ0fQ6VBWE","\
        y":"-E3Tj7F4tpoVaKNB8vT0V8GEB6JSmwOI-PV8BZSNkNk","kid":"ec-1","alg":"ES256","use":"sig"},{"kty":"OKP\
        ","crv":"Ed25519","x":"GM44e-olxd3m2g51lj_aEMSpv6p5_J2oWHs_2eGJOyg","kid":"ed-1","alg":"EdDSA","use"\
        :"sig"}]}
        """
}

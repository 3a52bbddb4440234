import PosternCore

@testable import PosternProxy

/// Certificates and keys that are good for nothing but these tests.
enum TLSFixtures {
    static let files: [String: String] = [
        // CN and SAN a.test, by itself, for a hundred years.
        "a.pem": """
        -----BEGIN CERTIFICATE-----
        MIIBjDCCATKgAwIBAgIUJl+FxzhVuxsLYjFX4TKoS5XYoKswCgYIKoZIzj0EAwIw
        ETEPMA0GA1UEAwwGYS50ZXN0MCAXDTI2MTEyMjE1MjgxOVoYDzIxMjYxMDI5MTUy
        ODE5WjARMQ8wDQYDVQQDDAZhLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
        AARlAPMFz0H5PfYEiCKXF+RHW+QQsucMUTSVx5dlPR+b4mCLmJMKw64odrypRJ4B
        bd7i7+J6UBeCk8NJXjr0kIIHo2YwZDAdBgNVHQ4EFgQUfXNKwypO5QBFMCDOJh4B
        ueD4ZxgwHwYDVR0jBBgwFoAUfXNKwypO5QBFMCDOJh4BueD4ZxgwDwYDVR0TAQH/
        BAUwAwEB/zARBgNVHREECjAIggZhLnRlc3QwCgYIKoZIzj0EAwIDSAAwRQIhAKtJ
        1BfC18bzj6gsBcLvT5HPncn6wp00FMw8sOHY7c3fAiAsJf58NEeoVbTyfuOS9urd
        OqCGQF2SA/gVuaApbXlWTA==
        -----END CERTIFICATE-----
        """,
        "a.key": """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgC//M2k1Q3adQYdXv
        Nobcg9VUma7LfgSwHoONDLNcTSmhRANCAARlAPMFz0H5PfYEiCKXF+RHW+QQsucM
        UTSVx5dlPR+b4mCLmJMKw64odrypRJ4Bbd7i7+J6UBeCk8NJXjr0kIIH
        -----END PRIVATE KEY-----
        """,
        "b.key": """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5fxePQliPadNfInA
        h8558ZCwkhHn0xA09gaWkAebLc+hRANCAARx8C3PTp0VwpsLxl/NHz02L2gLGWvM
        kjm2CMGh+soNH/AoAU0dKr751qRp/ihUbDpGL5rQO10adip9lv3NhsPI
        -----END PRIVATE KEY-----
        """,
        "encrypted.key": """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjL9kVYMi1kuQICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEE98V1l3uUTEbB+MNe24CUsEgZCe
        /OJtFh5OyCzVnojvgZjJfDOgNcoyMmd3fd3Ltdp0jNUb0stq6xLRif0djAShwMmm
        cFaUDbRwLUbFdGukCMR+neHmFJGbcE6mVflN9JCwlzPDUhte4xDRrsoqMpbdjboH
        yvsGOQcaofFX8F6doSfL9aWz09p7+NC9VRVyeDfteNop+7OLakkvVZmVabFg4hM=
        -----END ENCRYPTED PRIVATE KEY-----
        """,
        "empty": "",
        "garbage": "-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n",
    ]

    static func configuration(_ text: String) throws -> Configuration {
        let environment = ConfigurationEnvironment(
            variable: { _ in nil },
            file: { path in
                guard let text = Self.files[path] else { return .failure(.init(reason: "there is none")) }
                return .success(Array(text.utf8))
            })
        return try ConfigurationFile.load(bytes: Array(text.utf8), environment: environment).get().configuration
    }
}

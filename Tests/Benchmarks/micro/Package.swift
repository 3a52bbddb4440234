// swift-tools-version: 6.1
import PackageDescription

// The micro-benchmarks of the core: one program that does one thing a given number of times; run.py counts what it took.
//
// The code under test is linked in as source, with the settings that it has in the product, so that nothing else of the
// product has to be built.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let spans: [SwiftSetting] = settings + [.enableExperimentalFeature("Lifetimes")]

let package = Package(
    name: "postern-micro",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "PosternCore", swiftSettings: spans),
        .target(name: "PosternCrypto", dependencies: ["COpenSSL", "PosternCore"], swiftSettings: settings),
        .executableTarget(
            name: "postern-micro", dependencies: ["PosternCore", "PosternCrypto"], swiftSettings: settings),
    ]
)

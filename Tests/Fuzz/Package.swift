// swift-tools-version: 6.1
import PackageDescription

// The fuzz targets: one program, whose first argument names the target; deploy/local/fuzz.sh builds and runs it.
//
// The code under test is linked in as source, so that it is instrumented and nothing else of the product has to be
// built: the core as a whole, and of the shell the files that read YAML.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "postern-fuzz",
    platforms: [.macOS(.v15)],
    targets: [
        // libFuzzer comes with the toolchain: a module map and a header, no logic.
        .systemLibrary(name: "CFuzzer"),
        .systemLibrary(name: "CLibYAML"),
        .target(name: "PosternCore", swiftSettings: settings),
        .target(name: "YAMLReading", dependencies: ["CLibYAML", "PosternCore"], swiftSettings: settings),
        .executableTarget(
            name: "postern-fuzz", dependencies: ["CFuzzer", "PosternCore", "YAMLReading"], swiftSettings: settings),
    ]
)

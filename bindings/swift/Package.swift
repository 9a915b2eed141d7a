// swift-tools-version: 6.0
// Chamada for Swift. `cargo xtask swift` generates its larger half, builds it and runs its tests on Linux; for phones, the
// module ChamadaFFI comes from the XCFramework of `cargo xtask ios` instead.
import PackageDescription

let package = Package(
    name: "Chamada",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "Chamada", targets: ["Chamada"])
    ],
    targets: [
        .systemLibrary(name: "ChamadaFFI"),
        .target(name: "Chamada", dependencies: ["ChamadaFFI"]),
        .testTarget(name: "ChamadaTests", dependencies: ["Chamada"]),
    ]
)

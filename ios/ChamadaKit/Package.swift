// swift-tools-version: 6.0
// What an iOS app needs around Chamada. `cargo xtask ios-check` builds and tests it on Linux, where the two targets that need
// Apple's frameworks are empty; in Xcode all three are whole.
import PackageDescription

let chamada = Target.Dependency.product(name: "Chamada", package: "Chamada")

let package = Package(
    name: "ChamadaKit",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "ChamadaCore", targets: ["ChamadaCore"]),
        .library(name: "ChamadaMedia", targets: ["ChamadaMedia"]),
        .library(name: "ChamadaCallKit", targets: ["ChamadaCallKit"]),
    ],
    dependencies: [.package(name: "Chamada", path: "../../bindings/swift")],
    targets: [
        .target(name: "ChamadaCore", dependencies: [chamada]),
        .target(name: "ChamadaMedia", dependencies: ["ChamadaCore", chamada]),
        .target(name: "ChamadaCallKit", dependencies: ["ChamadaCore", chamada]),
        .testTarget(name: "ChamadaCoreTests", dependencies: ["ChamadaCore", chamada]),
    ]
)

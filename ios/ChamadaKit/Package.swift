// swift-tools-version: 6.0
// What an iOS app needs around Chamada. `cargo xtask ios-check` builds and tests it on Linux, where the targets that need Apple's
// frameworks are empty; in Xcode all are whole.
import PackageDescription

let chamada = Target.Dependency.product(name: "Chamada", package: "Chamada")

let package = Package(
    name: "ChamadaKit",
    defaultLocalization: "en",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: ["ChamadaCore", "ChamadaMedia", "ChamadaCallKit", "ChamadaUI"].map { .library(name: $0, targets: [$0]) },
    dependencies: [.package(name: "Chamada", path: "../../bindings/swift")],
    targets: [
        .target(name: "ChamadaCore", dependencies: [chamada]),
        .target(name: "ChamadaMedia", dependencies: ["ChamadaCore", chamada]),
        .target(name: "ChamadaCallKit", dependencies: ["ChamadaCore", chamada]),
        .target(name: "ChamadaUI", dependencies: ["ChamadaCore", "ChamadaMedia", chamada], resources: [.process("Resources")]),
        .testTarget(name: "ChamadaCoreTests", dependencies: ["ChamadaCore", chamada]),
    ]
)

// swift-tools-version: 6.0
// Chamada for Swift. `cargo xtask swift` generates its larger half, builds it and runs its tests on Linux; `cargo xtask ios`, on a
// Mac, puts the library for phones beside this file.
import Foundation
import PackageDescription

let framework = "ChamadaFFI.xcframework"
let isForPhones = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(framework)")

// What the library calls of Apple's: a static library says to nobody that it needs them.
let frameworks = ["CoreFoundation", "CoreMedia", "CoreVideo", "VideoToolbox"]

let package = Package(
    name: "Chamada",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "Chamada", targets: ["Chamada"])
    ],
    targets: [
        isForPhones ? .binaryTarget(name: "ChamadaFFI", path: framework) : .systemLibrary(name: "ChamadaFFI"),
        .target(
            name: "Chamada", dependencies: ["ChamadaFFI"],
            linkerSettings: frameworks.map { .linkedFramework($0, .when(platforms: [.iOS, .macOS])) }),
        .testTarget(name: "ChamadaTests", dependencies: ["Chamada"]),
    ]
)

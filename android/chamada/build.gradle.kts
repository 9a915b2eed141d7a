plugins {
    alias(libs.plugins.android.library)
}

// Written by `cargo xtask kotlin` or `cargo xtask android-check`; never committed.
val generated = rootDir.resolve("../target/generated/kotlin")

android {
    namespace = "chamada.android"
    compileSdk = libs.versions.compile.sdk.get().toInt()
    defaultConfig {
        minSdk = libs.versions.min.sdk.get().toInt()
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets["main"].kotlin.directories += listOf(
        rootDir.resolve("../bindings/kotlin/src/main/kotlin").path,
        generated.path,
    )
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    testOptions.unitTests.all { it.useJUnitPlatform() }
}

dependencies {
    api(libs.coroutines)
    // JNA for Android is the AAR: it brings libjnidispatch.so for each architecture.
    api(libs.jna) { artifact { type = "aar" } }
    testImplementation(libs.junit)
    testRuntimeOnly(libs.junit.launcher)
}

tasks.named("preBuild") {
    doFirst {
        check(generated.resolve("chamada/chamada_ffi.kt").exists()) { "first run `cargo xtask android-check` in the workspace" }
    }
}

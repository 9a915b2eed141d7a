plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.compose.compiler)
}

android {
    namespace = "chamada.app"
    compileSdk = libs.versions.compile.sdk.get().toInt()
    defaultConfig {
        applicationId = "chamada.app"
        minSdk = libs.versions.min.sdk.get().toInt()
        targetSdk = libs.versions.target.sdk.get().toInt()
        versionCode = 1
        versionName = "0.1.0"
    }
    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
        }
    }
    buildFeatures.compose = true
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    // Tests of the logic hold real calls through the library for the desktop, which cargo builds.
    testOptions.unitTests.all {
        val target = rootDir.resolve("../target/debug")
        it.useJUnitPlatform()
        it.systemProperty("jna.library.path", target.path)
        it.systemProperty("chamada.command", target.resolve("chamada").path)
    }
}

dependencies {
    implementation(project(":ui"))
    implementation(libs.compose.foundation)
    implementation(libs.compose.material3)
    implementation(libs.activity.compose)
    implementation(libs.lifecycle.compose)
    testImplementation(libs.junit)
    testRuntimeOnly(libs.junit.launcher)
    // On the desktop JNA is the jar, which brings the desktop's own library.
    testRuntimeOnly(libs.jna)
}

//! Writes the Kotlin and Swift sources for the library: see `cargo xtask kotlin` and `cargo xtask swift`.

fn main() {
    uniffi::uniffi_bindgen_main();
}

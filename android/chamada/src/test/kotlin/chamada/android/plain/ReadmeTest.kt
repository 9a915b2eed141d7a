package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

/** What android/README.md shows is what was compiled here: the part of Readme.kt between its marks. */
internal class ReadmeTest {
    @Test
    fun `the README's Kotlin is compiled code`() {
        // Maven and Gradle both start tests in the module's folder.
        val source = File("src/test/kotlin/chamada/android/Readme.kt").readLines()
        val shown = source.subList(source.indexOf("// README: begin") + 1, source.indexOf("// README: end"))
        assertTrue(shown.joinToString("\n") in File("../README.md").readText(), "README.md and Readme.kt are out of step")
    }
}

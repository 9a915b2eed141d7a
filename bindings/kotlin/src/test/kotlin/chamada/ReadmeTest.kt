package chamada

import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

/** What the README shows is what was compiled here: the part of Readme.kt between its marks. */
internal class ReadmeTest {
    @Test
    fun `the README's Kotlin is compiled code`() {
        val source = File("src/test/kotlin/chamada/Readme.kt").readLines()
        val shown = source.subList(source.indexOf("// README: begin") + 1, source.indexOf("// README: end"))
        val readme = File(System.getProperty("chamada.readme")).readText()
        assertTrue(shown.joinToString("\n").trim() in readme, "README.md and Readme.kt are out of step")
    }
}

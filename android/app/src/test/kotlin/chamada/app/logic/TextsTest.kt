package chamada.app.logic

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

/**
 * Every text of this app alone is there in both languages, with the same gaps. Those that it shares are written by `cargo xtask texts`, which
 * sees to the same; that none is missing the compiler sees.
 */
internal class TextsTest {
    private val english = texts("values")
    private val portuguese = texts("values-pt-rBR")

    private fun texts(folder: String): Map<String, String> {
        val file = File(System.getProperty("chamada.res"), "$folder/strings.xml")
        val strings = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).getElementsByTagName("string")
        return (0 until strings.length).map { strings.item(it).attributes to strings.item(it).textContent }
            .filter { (about, _) -> about.getNamedItem("translatable")?.nodeValue != "false" }
            .associate { (about, text) -> about.getNamedItem("name").nodeValue to text }
    }

    @Test
    fun `both languages have the same texts with the same gaps`() {
        assertEquals(english.keys, portuguese.keys)
        fun gaps(text: String) = Regex("%\\d\\\$s").findAll(text).map { it.value }.toList()
        for ((name, text) in english) assertEquals(gaps(text), gaps(portuguese.getValue(name)), name)
        val same = english.filter { (name, text) -> portuguese[name] == text }.keys
        assertTrue(same.isEmpty(), "not translated: $same")
    }
}

package chamada.app.logic

import chamada.EndReason
import chamada.ErrorKind
import chamada.Event
import chamada.android.plain.CameraTrouble
import chamada.app.R
import chamada.app.text
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

/** A text whose gaps are not filled shows its gaps. That both languages have the same ones `cargo xtask texts` sees to. */
internal class TextsTest {
    private val names = R.string::class.java.fields.associate { it.getInt(null) to it.name }
    private val texts = DocumentBuilderFactory.newInstance().newDocumentBuilder()
        .parse(File(System.getProperty("chamada.res"), "values/strings.xml")).getElementsByTagName("string")
        .let { strings -> (0 until strings.length).map(strings::item) }
        .associate { it.attributes.getNamedItem("name").nodeValue to it.textContent }

    private fun gaps(words: Words) = Regex("%\\d\\\$s").findAll(texts.getValue(names.getValue(text(words)))).map { it.value }.toSet().size

    @Test
    fun `what is told fills the gaps of its text`() {
        val phone = FakePhone()
        phone.enter()
        phone.line.tell(Event.Renamed("ana", "ana2"))
        val notices = EndReason.entries.mapNotNull { endNotice(it, "rui", null) } + CameraTrouble.entries.map(::troubleNotice) +
            ErrorKind.entries.mapNotNull { refusal(failure(it)) } + ErrorKind.entries.map { loginNotice(failure(it)) } +
            phone.told!!
        assertTrue(notices.any { it.gaps.isNotEmpty() })
        for (notice in notices) assertEquals(gaps(notice.words), notice.gaps.size, notice.words.name)
    }
}

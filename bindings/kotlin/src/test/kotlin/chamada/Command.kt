package chamada

import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** How long anything may take before a test fails, in seconds. */
internal const val PATIENCE = 40L

/** The `chamada` command at work, the peer written in Rust; killed when the test is over before it is. */
internal class Command(vararg arguments: String) : AutoCloseable {
    private val process = ProcessBuilder(listOf(System.getProperty("chamada.command")) + arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
    private val lines = LinkedBlockingQueue<String>()
    private val said = mutableListOf<String>()

    init {
        thread(isDaemon = true) {
            process.inputStream.bufferedReader().forEachLine(lines::add)
            lines.add(END)
        }
    }

    /** The next line with this text in it. */
    fun lineWith(text: String): String {
        while (true) {
            val line = lines.poll(PATIENCE, TimeUnit.SECONDS) ?: error("no '$text' in time; it said $said")
            check(line != END) { "it ended without '$text'; it said $said" }
            said += line
            if (text in line) return line
        }
    }

    /** Types a line. */
    fun type(line: String) = process.outputStream.run {
        write("$line\n".toByteArray())
        flush()
    }

    /** The summary that `--json` ends with. */
    fun summary(): Summary = Summary(lineWith("\"event\":\"summary\""))

    /** How it ended. */
    fun exitCode(): Int {
        check(process.waitFor(PATIENCE, TimeUnit.SECONDS)) { "it does not end; it said $said" }
        return process.exitValue()
    }

    override fun close() {
        process.destroyForcibly()
    }

    private companion object {
        const val END = "\u0000"
    }
}

/** What the peer measured. */
internal class Summary(private val json: String) {
    private fun part(name: String): String =
        Regex("\"$name\":\\{([^{}]*)\\}").find(json)?.groupValues?.get(1) ?: error("no $name in $json")

    fun number(part: String, name: String): Double =
        Regex("\"$name\":([-0-9.e]+)").find(part(part))?.groupValues?.get(1)?.toDouble() ?: error("no $name in $json")

    val ended: String get() = Regex("\"ended\":\"([^\"]*)\"").find(json)?.groupValues?.get(1) ?: error("no end in $json")
}

/** A real signaling server on a free port. */
internal class Server : AutoCloseable {
    private val command = Command("serve", "--listen", "127.0.0.1:0")
    val url: String = command.lineWith("ws://").split(' ').first { it.startsWith("ws://") }

    override fun close() = command.close()
}

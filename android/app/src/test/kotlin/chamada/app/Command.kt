package chamada.app

import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** How long anything may take before a test fails, in seconds. */
internal const val PATIENCE = 40L

/** The `chamada` command at work: a server, or a peer written in Rust. Killed when the test is over before it is. */
internal class Command(vararg arguments: String) : AutoCloseable {
    private val process = ProcessBuilder(listOf(System.getProperty("chamada.command")) + arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
    private val lines = LinkedBlockingQueue<String>()

    init {
        thread(isDaemon = true) { process.inputStream.bufferedReader().forEachLine(lines::add) }
    }

    /** The next line with this text in it. */
    fun lineWith(text: String): String {
        while (true) {
            val line = lines.poll(PATIENCE, TimeUnit.SECONDS) ?: error("it says nothing with '$text' in time")
            if (text in line) return line
        }
    }

    override fun close() {
        process.destroyForcibly().waitFor()
    }
}

/** A real server on a free port. */
internal class Server : AutoCloseable {
    private val command = Command("serve", "--listen", "127.0.0.1:0")
    val url: String = command.lineWith("ws://").split(' ').first { it.startsWith("ws://") }

    override fun close() = command.close()
}

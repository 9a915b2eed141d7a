package chamada.app.logic

import chamada.Config
import chamada.isLocalNetwork

/** Most characters of a name, as the protocol has it. */
const val LONGEST_NAME: Int = 32

/** Most characters of a line of chat. */
const val LONGEST_LINE: Int = 256

/** The name without white space at its ends, or null if the server would not take it. */
fun nameOf(typed: String): String? = typed.trim().takeIf { name ->
    name.isNotEmpty() && name.codePointCount(0, name.length) <= LONGEST_NAME && name.none { it.isISOControl() }
}

/**
 * How to log in at an address as people type it. Outside one's own four walls only encrypted connections are made; in them, where
 * a developer's server has no certificate, others too.
 */
fun configOf(address: String, name: String): Config {
    val server = address.trim()
    return Config(server, name, allowInsecure = isLocalNetwork(server))
}

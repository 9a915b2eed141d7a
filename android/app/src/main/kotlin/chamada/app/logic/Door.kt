package chamada.app.logic

import chamada.Config

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
    return Config(server, name, allowInsecure = isNear(hostOf(server)), loopback = isLoopback(hostOf(server)))
}

private fun hostOf(address: String): String =
    address.substringAfter("://").substringBefore('/').let { if (it.startsWith("[")) it.substringBefore(']').drop(1) else it.substringBefore(':') }

private fun isLoopback(host: String) = host == "localhost" || host == "::1" || bytes(host)?.first() == 127

/** Addresses that no router passes on (RFC 1918, RFC 3927) and names that only a local network knows (RFC 6762). */
private fun isNear(host: String): Boolean {
    if (isLoopback(host) || host.endsWith(".local")) return true
    val (a, b) = bytes(host) ?: return false
    return a == 10 || a == 172 && b in 16..31 || a == 192 && b == 168 || a == 169 && b == 254
}

private fun bytes(host: String): List<Int>? =
    host.split('.').map { it.toIntOrNull()?.takeIf { byte -> byte in 0..255 } ?: return null }.takeIf { it.size == 4 }

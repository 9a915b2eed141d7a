package chamada.ui

import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.graphics.Color

/** Of buttons that answer and that end a call, whatever the theme: white stands out from both by more than 4.5 to 1 (WCAG 2.2, 1.4.3). */
internal val AcceptColor = Color(0xFF0B7A43)
internal val EndColor = Color(0xFFC62828)

private val Light = lightColorScheme(
    primary = Color(0xFF0B6E4F),
    onPrimary = Color.White,
    primaryContainer = Color(0xFFCFE9DC),
    onPrimaryContainer = Color(0xFF0A3D2C),
    secondary = Color(0xFF4C6358),
    onSecondary = Color.White,
    secondaryContainer = Color(0xFFCFE9DC),
    onSecondaryContainer = Color(0xFF0A3D2C),
    background = Color(0xFFF7FBF7),
    onBackground = Color(0xFF181D1A),
    surface = Color(0xFFF7FBF7),
    onSurface = Color(0xFF181D1A),
    surfaceVariant = Color(0xFFDCE5DE),
    onSurfaceVariant = Color(0xFF404943),
    outline = Color(0xFF707973),
    outlineVariant = Color(0xFFC0C9C2),
    surfaceContainerLowest = Color.White,
    surfaceContainerLow = Color(0xFFF0F5F1),
    surfaceContainer = Color(0xFFEAF0EB),
    surfaceContainerHigh = Color(0xFFE4EAE5),
    surfaceContainerHighest = Color(0xFFDFE5E0),
)

private val Dark = darkColorScheme(
    primary = Color(0xFF6FCFA5),
    onPrimary = Color(0xFF00382A),
    primaryContainer = Color(0xFF1E4A3A),
    onPrimaryContainer = Color(0xFFD2EDE0),
    secondary = Color(0xFFB3CCBF),
    onSecondary = Color(0xFF1F352B),
    secondaryContainer = Color(0xFF1E4A3A),
    onSecondaryContainer = Color(0xFFD2EDE0),
    background = Color(0xFF101513),
    onBackground = Color(0xFFE0E4E0),
    surface = Color(0xFF101513),
    onSurface = Color(0xFFE0E4E0),
    surfaceVariant = Color(0xFF404943),
    onSurfaceVariant = Color(0xFFC0C9C2),
    outline = Color(0xFF8A938C),
    outlineVariant = Color(0xFF404943),
    surfaceContainerLowest = Color(0xFF0B0F0D),
    surfaceContainerLow = Color(0xFF181D1A),
    surfaceContainer = Color(0xFF1C211E),
    surfaceContainerHigh = Color(0xFF262B28),
    surfaceContainerHighest = Color(0xFF313633),
)

/** Material 3 in the colours of Chamada. */
@Composable
public fun ChamadaTheme(dark: Boolean = isSystemInDarkTheme(), content: @Composable () -> Unit) {
    MaterialTheme(colorScheme = if (dark) Dark else Light, content = content)
}

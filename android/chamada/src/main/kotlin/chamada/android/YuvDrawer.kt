package chamada.android

import android.opengl.GLES20
import android.util.Log
import chamada.FrameLayout
import chamada.FramePlanes
import chamada.android.plain.Extent
import chamada.android.plain.corners
import chamada.android.plain.filled
import chamada.android.plain.refill
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** A picture in the GPU's memory: three textures, one a plane. On the thread of its GL context. */
internal class YuvDrawer private constructor(private val program: Int) {
    private val textures = IntArray(3).also { GLES20.glGenTextures(3, it, 0) }
    private val sizes = Array(3) { 0 to 0 }
    private val position = GLES20.glGetAttribLocation(program, "position")
    private val place = GLES20.glGetAttribLocation(program, "place")
    private val used = GLES20.glGetUniformLocation(program, "used")
    private val last = GLES20.glGetUniformLocation(program, "last")
    private val samplers = listOf("luma", "blue", "red").map { GLES20.glGetUniformLocation(program, it) }
    private val strip = floats(8)
    private val places = floats(8)

    /** Of the picture that is up there. */
    var layout: FrameLayout? = null
        private set

    /** Its width and height when it stands. */
    val upright: Pair<Int, Int>
        get() {
            val layout = layout ?: return 0 to 0
            val (width, height) = layout.width.toInt() to layout.height.toInt()
            return if (layout.rotationDegrees.toInt() % 180 == 0) width to height else height to width
        }

    fun upload(planes: FramePlanes) {
        val now = planes.layout
        val chroma = (now.height.toInt() + 1) / 2
        // OpenGL ES 2 knows no row stride: whole rows go up, padding and all, and the shader leaves the padding out.
        GLES20.glPixelStorei(GLES20.GL_UNPACK_ALIGNMENT, 1)
        upload(0, now.yStride.toInt(), now.height.toInt(), planes.y)
        upload(1, now.uvStride.toInt(), chroma, planes.u)
        upload(2, now.uvStride.toInt(), chroma, planes.v)
        layout = now
    }

    private fun upload(index: Int, width: Int, height: Int, bytes: ByteBuffer) {
        GLES20.glActiveTexture(GLES20.GL_TEXTURE0 + index)
        GLES20.glBindTexture(GLES20.GL_TEXTURE_2D, textures[index])
        val (format, type) = GLES20.GL_LUMINANCE to GLES20.GL_UNSIGNED_BYTE
        if (sizes[index] == width to height) {
            GLES20.glTexSubImage2D(GLES20.GL_TEXTURE_2D, 0, 0, 0, width, height, format, type, bytes)
            return
        }
        GLES20.glTexImage2D(GLES20.GL_TEXTURE_2D, 0, format, width, height, 0, format, type, bytes)
        for (filter in listOf(GLES20.GL_TEXTURE_MIN_FILTER, GLES20.GL_TEXTURE_MAG_FILTER)) {
            GLES20.glTexParameteri(GLES20.GL_TEXTURE_2D, filter, GLES20.GL_LINEAR)
        }
        for (wrap in listOf(GLES20.GL_TEXTURE_WRAP_S, GLES20.GL_TEXTURE_WRAP_T)) {
            GLES20.glTexParameteri(GLES20.GL_TEXTURE_2D, wrap, GLES20.GL_CLAMP_TO_EDGE)
        }
        sizes[index] = width to height
    }

    fun draw(extent: Extent) {
        val layout = layout ?: return
        val (x, y) = extent
        strip.fill(floatArrayOf(-x, -y, x, -y, -x, y, x, y))
        places.fill(corners(layout.rotationDegrees.toInt(), layout.mirror))
        GLES20.glUseProgram(program)
        samplers.forEachIndexed { index, sampler -> GLES20.glUniform1i(sampler, index) }
        textures.forEachIndexed { index, texture ->
            GLES20.glActiveTexture(GLES20.GL_TEXTURE0 + index)
            GLES20.glBindTexture(GLES20.GL_TEXTURE_2D, texture)
        }
        val (yStride, uvStride) = layout.yStride.toFloat() to layout.uvStride.toFloat()
        val (width, half) = layout.width.toFloat() to ((layout.width.toInt() + 1) / 2).toFloat()
        GLES20.glUniform2f(used, width / yStride, half / uvStride)
        // The middle of the last pixel: beyond it the padding would shine through.
        GLES20.glUniform2f(last, (width - 0.5f) / yStride, (half - 0.5f) / uvStride)
        GLES20.glEnableVertexAttribArray(position)
        GLES20.glVertexAttribPointer(position, 2, GLES20.GL_FLOAT, false, 0, strip)
        GLES20.glEnableVertexAttribArray(place)
        GLES20.glVertexAttribPointer(place, 2, GLES20.GL_FLOAT, false, 0, places)
        GLES20.glDrawArrays(GLES20.GL_TRIANGLE_STRIP, 0, 4)
    }

    /** Black from the next drawing on. */
    fun forget() {
        layout = null
    }

    fun delete() {
        GLES20.glDeleteTextures(3, textures, 0)
        GLES20.glDeleteProgram(program)
    }

    companion object {
        private const val VERTEX = """
            attribute vec2 position;
            attribute vec2 place;
            varying vec2 at;
            void main() {
                gl_Position = vec4(position, 0.0, 1.0);
                at = place;
            }
        """

        // BT.601, limited range, as the core's frames are.
        private const val FRAGMENT = """
            #ifdef GL_FRAGMENT_PRECISION_HIGH
            precision highp float;
            #else
            precision mediump float;
            #endif
            varying vec2 at;
            uniform vec2 used;
            uniform vec2 last;
            uniform sampler2D luma;
            uniform sampler2D blue;
            uniform sampler2D red;
            void main() {
                vec2 chroma = vec2(min(at.x * used.y, last.y), at.y);
                float y = 1.164383 * (texture2D(luma, vec2(min(at.x * used.x, last.x), at.y)).r - 0.062745);
                float u = texture2D(blue, chroma).r - 0.501961;
                float v = texture2D(red, chroma).r - 0.501961;
                gl_FragColor = vec4(y + 1.596027 * v, y - 0.391762 * u - 0.812968 * v, y + 2.017232 * u, 1.0);
            }
        """

        /** None if the shaders cannot be built. */
        fun create(): YuvDrawer? {
            val program = GLES20.glCreateProgram()
            for ((kind, source) in listOf(GLES20.GL_VERTEX_SHADER to VERTEX, GLES20.GL_FRAGMENT_SHADER to FRAGMENT)) {
                val shader = GLES20.glCreateShader(kind)
                GLES20.glShaderSource(shader, source)
                GLES20.glCompileShader(shader)
                GLES20.glAttachShader(program, shader)
                GLES20.glDeleteShader(shader)
            }
            GLES20.glLinkProgram(program)
            val linked = IntArray(1)
            GLES20.glGetProgramiv(program, GLES20.GL_LINK_STATUS, linked, 0)
            if (linked[0] == GLES20.GL_TRUE) return YuvDrawer(program)
            Log.e(TAG, "shaders: ${GLES20.glGetProgramInfoLog(program)}")
            GLES20.glDeleteProgram(program)
            return null
        }

        private fun floats(count: Int): FloatBuffer =
            ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer()

        private fun FloatBuffer.fill(values: FloatArray) {
            refill()
            put(values)
            filled()
        }
    }
}

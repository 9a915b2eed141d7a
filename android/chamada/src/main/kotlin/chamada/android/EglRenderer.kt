package chamada.android

import android.graphics.SurfaceTexture
import android.opengl.EGL14
import android.opengl.EGLConfig
import android.opengl.EGLContext
import android.opengl.EGLDisplay
import android.opengl.EGLSurface
import android.opengl.GLES20
import android.os.Handler
import android.os.HandlerThread
import android.util.Log
import chamada.ChamadaException
import chamada.Frame
import chamada.android.plain.Scaling
import chamada.android.plain.extent
import chamada.show
import java.util.concurrent.atomic.AtomicBoolean

/** A surface with a thread of its own that draws on it. Its functions may be called from any thread. */
internal class EglRenderer(
    private val surface: SurfaceTexture,
    scaling: Scaling,
    private val onSize: (Int, Int) -> Unit,
) {
    private val thread = HandlerThread("chamada-screen").apply { start() }
    private val handler = Handler(thread.looper)
    private val waiting = FrameHolder()
    private val asked = AtomicBoolean()

    // From here on of the thread alone.
    private var display: EGLDisplay = EGL14.EGL_NO_DISPLAY
    private var context: EGLContext = EGL14.EGL_NO_CONTEXT
    private var window: EGLSurface = EGL14.EGL_NO_SURFACE
    private var picture: YuvDrawer? = null
    private var width = 0
    private var height = 0
    private var told = 0 to 0

    @Volatile
    var scaling: Scaling = scaling
        set(value) {
            field = value
            handler.post { draw() }
        }

    init {
        handler.post {
            start()
            draw()
        }
    }

    fun show(frame: Frame) {
        waiting.put(frame)
        if (asked.compareAndSet(false, true)) handler.post { next() }
    }

    fun resize(width: Int, height: Int) {
        handler.post {
            this.width = width
            this.height = height
            draw()
        }
    }

    fun clear() {
        handler.post {
            picture?.forget()
            draw()
        }
    }

    fun close() {
        waiting.close()
        handler.post { destroy() }
        thread.quitSafely()
    }

    private fun start() {
        display = EGL14.eglGetDisplay(EGL14.EGL_DEFAULT_DISPLAY)
        val version = IntArray(2)
        if (!EGL14.eglInitialize(display, version, 0, version, 1)) return failed("eglInitialize")
        val configs = arrayOfNulls<EGLConfig>(1)
        val count = IntArray(1)
        if (!EGL14.eglChooseConfig(display, CONFIG, 0, configs, 0, 1, count, 0) || count[0] == 0) return failed("eglChooseConfig")
        val asked = intArrayOf(EGL14.EGL_CONTEXT_CLIENT_VERSION, 2, EGL14.EGL_NONE)
        context = EGL14.eglCreateContext(display, configs[0], EGL14.EGL_NO_CONTEXT, asked, 0)
        window = EGL14.eglCreateWindowSurface(display, configs[0], surface, intArrayOf(EGL14.EGL_NONE), 0)
        if (!EGL14.eglMakeCurrent(display, window, window, context)) return failed("eglMakeCurrent")
        // What is drawn is the newest frame anyway: nothing has to wait for the display.
        EGL14.eglSwapInterval(display, 0)
        picture = YuvDrawer.create() ?: return failed("the shaders")
    }

    /** The view stays black; the call goes on. */
    private fun failed(what: String) {
        Log.e(TAG, "nothing can be drawn: $what failed with 0x${EGL14.eglGetError().toString(16)}")
    }

    private fun next() {
        // First, so that a frame that comes from now on asks anew.
        asked.set(false)
        val frame = waiting.take() ?: return
        val picture = picture ?: return frame.close()
        try {
            frame.show(picture::upload)
        } catch (e: ChamadaException) {
            Log.w(TAG, "a frame was closed by somebody else", e)
            return
        }
        if (picture.upright != told) {
            told = picture.upright
            onSize(told.first, told.second)
        }
        draw()
    }

    private fun draw() {
        val picture = picture ?: return
        GLES20.glViewport(0, 0, width, height)
        GLES20.glClearColor(0f, 0f, 0f, 1f)
        GLES20.glClear(GLES20.GL_COLOR_BUFFER_BIT)
        picture.layout?.let {
            picture.draw(extent(it.width.toInt(), it.height.toInt(), it.rotationDegrees.toInt(), width, height, scaling))
        }
        if (!EGL14.eglSwapBuffers(display, window) && EGL14.eglGetError() == EGL14.EGL_CONTEXT_LOST) renew()
    }

    /** The GPU forgot everything, as some do when the phone sleeps. What is seen comes with the next frame. */
    private fun renew() {
        Log.w(TAG, "the context of OpenGL was lost")
        destroy()
        start()
    }

    private fun destroy() {
        picture?.delete()
        picture = null
        if (display != EGL14.EGL_NO_DISPLAY) {
            EGL14.eglMakeCurrent(display, EGL14.EGL_NO_SURFACE, EGL14.EGL_NO_SURFACE, EGL14.EGL_NO_CONTEXT)
            EGL14.eglDestroySurface(display, window)
            EGL14.eglDestroyContext(display, context)
            EGL14.eglReleaseThread()
        }
    }

    private companion object {
        val CONFIG = intArrayOf(
            EGL14.EGL_RENDERABLE_TYPE, EGL14.EGL_OPENGL_ES2_BIT,
            EGL14.EGL_SURFACE_TYPE, EGL14.EGL_WINDOW_BIT,
            EGL14.EGL_RED_SIZE, 8, EGL14.EGL_GREEN_SIZE, 8, EGL14.EGL_BLUE_SIZE, 8,
            EGL14.EGL_NONE,
        )
    }
}

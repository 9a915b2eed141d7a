package chamada.android

import android.content.Context
import android.graphics.SurfaceTexture
import android.util.AttributeSet
import android.view.TextureView
import chamada.Frame
import chamada.android.plain.Scaling

/**
 * Shows a picture after another by OpenGL ES 2, from the core's planes to the GPU without a copy in between. Rotation and mirror are
 * the frame's own; [scaling] says how it fills the view. A texture view, so that it can be dragged, rounded and covered.
 */
public class VideoView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    TextureView(context, attributes), TextureView.SurfaceTextureListener {

    /** How pictures fill the view. */
    public var scaling: Scaling = Scaling.FILL
        set(value) {
            field = value
            screen?.scaling = value
        }

    /** Width and height of the upright picture, each time that it changes. On the thread that draws. */
    @Volatile
    public var onSize: ((width: Int, height: Int) -> Unit)? = null

    @Volatile
    private var screen: EglRenderer? = null

    init {
        surfaceTextureListener = this
        isOpaque = true
    }

    /** From any thread; gives the frame back when it is drawn or replaced by a newer one. */
    public fun show(frame: Frame) {
        val screen = screen
        if (screen == null) frame.close() else screen.show(frame)
    }

    /** Nothing is to be seen any more: black. */
    public fun clear() {
        screen?.clear()
    }

    override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) {
        screen = EglRenderer(surface, scaling) { w, h -> onSize?.invoke(w, h) }.also { it.resize(width, height) }
    }

    override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) {
        screen?.resize(width, height)
    }

    override fun onSurfaceTextureDestroyed(surface: SurfaceTexture): Boolean {
        val ending = screen ?: return true
        screen = null
        ending.close()
        // Released by the view, and at once: a hidden one takes no pictures, and whoever draws would wait for it for ever.
        return true
    }

    override fun onSurfaceTextureUpdated(surface: SurfaceTexture) {}
}

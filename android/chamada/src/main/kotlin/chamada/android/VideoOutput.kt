package chamada.android

import chamada.Frame
import chamada.VideoRenderer
import chamada.android.plain.LatestFrameHolder

/**
 * Where the core shows pictures, for as long as a client lives; views come and go. The newest picture wins, and without a view
 * pictures are given back at once.
 */
public class VideoOutput : VideoRenderer {
    @Volatile
    private var view: VideoView? = null

    override fun render(frame: Frame) {
        val view = view
        if (view == null) frame.close() else view.show(frame)
    }

    /** Pictures go to this view from now on. */
    public fun attach(view: VideoView) {
        this.view = view
    }

    /** The view goes. One that was replaced already changes nothing. */
    public fun detach(view: VideoView) {
        if (this.view === view) this.view = null
    }
}

/** Between the thread that shows and the thread that draws. */
internal typealias FrameHolder = LatestFrameHolder<Frame>

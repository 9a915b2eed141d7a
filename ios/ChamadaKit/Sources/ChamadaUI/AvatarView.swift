#if canImport(SwiftUI) && canImport(UIKit)
import SwiftUI

/// What stands for a person's picture: the first letter of the name.
public struct AvatarView: View {
    private let initial: String
    private let size: Double

    /// `size` is in points.
    public init(_ initial: String, size: Double) { (self.initial, self.size) = (initial, size) }

    public var body: some View {
        Text(verbatim: initial)
            // A picture's size, not a text's: it does not grow with the letters.
            .font(.system(size: size * 0.45))
            .foregroundStyle(.white)
            .frame(width: size, height: size)
            .background(.tint, in: Circle())
            .accessibilityHidden(true)
    }
}
#endif

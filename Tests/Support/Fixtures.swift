internal import Foundation

/// The tiny models and recorded files in Tests/Fixtures.
package enum Fixtures {
    /// The folder of all of them.
    package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path

    /// A folder or file by its name; an absolute path stays what it is.
    package static func path(_ name: String) -> String { name.hasPrefix("/") ? name : folder + "/" + name }
}

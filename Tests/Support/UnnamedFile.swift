internal import Glibc

/// Gives a test a file that has no name any more, as memory that processes hand on has none.
package func withUnnamedFile<R>(_ body: (_ descriptor: Int32) throws -> R) rethrows -> R {
    var template = Array("/tmp/srt-test.XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    unlink(template)
    defer { close(descriptor) }
    return try body(descriptor)
}

internal import CZeroMQ

/// A process's ZeroMQ context: it owns the I/O thread that all sockets of the process share.
///
/// Sockets keep the context alive, so it ends after the last of them.
package final class Context: Sendable {
    nonisolated(unsafe) let handle: UnsafeMutableRawPointer

    /// Makes a context with one I/O thread.
    package init() {
        guard let handle = zmq_ctx_new() else { fatalError("zmq_ctx_new failed: out of memory") }
        zmq_ctx_set(handle, ZMQ_BLOCKY, 0)
        self.handle = handle
    }

    deinit { zmq_ctx_term(handle) }
}

/// What ZeroMQ says about the calling thread's last error.
func lastSocketError() -> String { String(cString: zmq_strerror(zmq_errno())) }

/// The address of a ZeroMQ socket: a file in the server's private run directory.
package struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// Bytes that fit in `sockaddr_un.sun_path`, without the final zero.
    package static let maximumPathLength = 107

    /// The file behind the socket.
    package let path: String

    /// The endpoint called `name` in `runDirectory`; its consumer binds it, producers connect.
    package init(_ name: Name, in runDirectory: String) {
        path = runDirectory + "/" + name.rawValue + ".ipc"
    }

    /// The endpoint of one incarnation of the front: for a while there may be two.
    package init(front generation: UInt64, in runDirectory: String) {
        path = runDirectory + "/front-\(generation).ipc"
    }

    /// The form ZeroMQ wants.
    package var description: String { "ipc://" + path }

    /// The other endpoints of a server, each named after the process that binds it.
    package enum Name: String, Sendable, CaseIterable {
        case tokenizer, scheduler, detokenizer, supervisor
    }
}

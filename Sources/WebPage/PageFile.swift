internal import APICore
internal import CWebFiles
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A file of the page: its bytes, and what is told of them.
struct PageFile: Sendable {
    let name: String
    let bytes: ByteBuffer
    /// Tells versions of the file apart.
    let tag: String

    private init(_ file: web_file) {
        let content = UnsafeRawBufferPointer(start: file.bytes, count: file.count)
        name = String(cString: file.name)
        bytes = ByteBuffer(bytes: content)
        let sum = content.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        tag = "\"" + String(sum, radix: 16) + "\""
    }

    /// All files of the binary by name.
    static let all: [String: PageFile] = {
        var count = 0
        let files = UnsafeBufferPointer(start: web_files(&count), count: count)
        return Dictionary(uniqueKeysWithValues: files.map(PageFile.init).map { ($0.name, $0) })
    }()

    /// The answer to a request for the file: 304 where the client has it.
    func response(to request: Request) -> Response {
        var headers = Self.rules
        headers[.eTag] = tag
        let known = (request.headers[.ifNoneMatch] ?? "").split(separator: ",").map { part in
            let tag = part.drop { $0 == " " }
            return tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
        }
        if known.contains(where: { $0 == tag || $0 == "*" }) { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = type
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: bytes))
    }

    private var type: String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        default: "image/svg+xml"
        }
    }

    /// What a browser may do with the page: run its own scripts, speak with this server, and nothing else. A copy is asked for
    /// before it is shown, so that no part of the page is older than the server.
    private static let rules: HTTPFields = {
        var fields: HTTPFields = [.cacheControl: "no-cache", .vary: "Accept"]
        fields[.init("Content-Security-Policy")!] = [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
            "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ].joined(separator: "; ")
        fields[.init("X-Content-Type-Options")!] = "nosniff"
        fields[.init("Referrer-Policy")!] = "no-referrer"
        fields[.init("Cross-Origin-Opener-Policy")!] = "same-origin"
        return fields
    }()
}

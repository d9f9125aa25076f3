import Foundation
import HTTPFront
import JSON
import ServerSettings
import TestSupport
import Testing

/// TLS between clients and a front.
@Suite struct EncryptionTests {
    private static let root = Fixtures.path("tls/root.pem")

    private static func settings(
        _ certificates: String = "first.pem", _ key: String = "first.key", password: String? = nil,
        authorities: String? = nil
    ) -> FrontSettings {
        var settings = FrontSettings.served()
        settings.tls.certificates = Fixtures.path("tls/" + certificates)
        settings.tls.key = Fixtures.path("tls/" + key)
        settings.tls.keyPassword = password
        settings.tls.authorities = authorities.map { Fixtures.path("tls/" + $0) }
        return settings
    }

    private func connection(_ server: RunningFront, trusting authority: String = root) throws -> HTTPConnection {
        HTTPConnection(try SecureWire(port: Int(server.port), trusting: authority))
    }

    @Test func answersAndStreamsAreEncrypted() async throws {
        let server = try await RunningFront(Self.settings())
        defer { server.stop() }
        let connection = try connection(server)
        try connection.send("/generate", ["text": "abc"])
        #expect(try connection.answer().json()["text"] == "abc")
        try connection.send("/generate", ["text": "abc", "stream": true])
        _ = try connection.head()
        var texts: [String] = []
        #expect(
            try connection.events { event in
                texts.append(event["text"]?.stringValue ?? "")
                return true
            })
        #expect(texts.last == "abc")
    }

    @Test func anEncryptedKeyOpensWithItsPassword() async throws {
        let server = try await RunningFront(Self.settings("first.pem", "locked.key", password: "sesame"))
        defer { server.stop() }
        let connection = try connection(server)
        try connection.send("/health")
        #expect(try connection.answer().status == 200)
    }

    @Test func aChainIsCompletedFromTheAuthorities() async throws {
        let complete = try await RunningFront(Self.settings("below.pem", "below.key", authorities: "middle.pem"))
        defer { complete.stop() }
        let connection = try connection(complete)
        try connection.send("/health")
        #expect(try connection.answer().status == 200)
        let open = try await RunningFront(Self.settings("below.pem", "below.key"))
        defer { open.stop() }
        #expect(throws: ConnectionError.lost) {
            let connection = try self.connection(open)
            try connection.send("/health")
            _ = try connection.answer()
        }
    }

    @Test(arguments: [
        ("none.pem", "first.key", "cannot read", "none.pem"), ("first.key", "first.key", "no certificate", "first.key"),
        ("first.pem", "first.pem", "no private key", "first.pem"),
        ("first.pem", "locked.key", "password", "locked.key"),
        ("first.pem", "second.key", "does not belong", "second.key"),
    ]) func filesThatMakeNoSenseAreNamed(certificates: String, key: String, reason: String, file: String) async throws {
        let error = await #expect(throws: (any Error).self) {
            _ = try await RunningFront(Self.settings(certificates, key))
        }
        #expect("\(error!)".contains(reason) && "\(error!)".contains(file), "\(error!)")
    }

    @Test func aClientThatDoesNotShakeHandsIsSlow() async throws {
        var limits = SlowClientLimits()
        limits.head = .milliseconds(50)
        let server = try await RunningFront(Self.settings(), limits: .init(connections: 8, slowClients: limits))
        defer { server.stop() }
        // Nothing comes, and single bytes buy no time.
        let client = server.client()
        client.send(raw: "\u{16}")
        #expect(client.read(until: "never") == "")
    }

    @Test func aClientWithoutRoomIsToldSoBehindItsHandshake() async throws {
        let server = try await RunningFront(Self.settings(), limits: .init(connections: 1))
        defer { server.stop() }
        let first = try connection(server)
        try first.send("/generate", ["text": "hold", "stream": true])
        #expect(try first.head().status == 200)
        // It is told before it can ask: a question might meet the end of the connection.
        let second = try connection(server)
        #expect(try second.answer().status == 503)
    }

    @Test func whoSpeaksNoTLSGetsNothing() async throws {
        let server = try await RunningFront(Self.settings())
        defer { server.stop() }
        let client = server.client()
        client.send("GET", "/health")
        #expect(!client.read(until: "\r\n\r\n").contains("HTTP/1.1"))
    }
}

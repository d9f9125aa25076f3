import Foundation
import TestSupport
import Testing

extension EndToEndTests {
    /// Random deaths and hangs under a mixed load; then an exact comparison with undisturbed answers, and an audit.
    ///
    /// `make chaos` runs it for minutes and on real models (see `Chaos`); without that it is a few deaths on a tiny model.
    @Suite(.serialized, .share(.whole), .timeLimit(.minutes(Chaos.minutes + 10))) struct ChaosTests {
        @Test(arguments: Chaos.variants) func nothingIsLostWhateverIsKilled(_ variant: Chaos.Variant) throws {
            try weather(variant, includesFront: Chaos.includesFront)
        }

        @Test(.enabled(if: Chaos.minutes == 0, "the long storm has SRT_CHAOS_FRONT"))
        func whenTheFrontDiesTooOnlyItsConnectionsAreLost() throws {
            try weather(Chaos.variants[0], includesFront: true)
        }

        private func serve(_ variant: Chaos.Variant, _ body: (Server) throws -> Void) throws {
            if variant.load == .calls { return try EchoModel.serve(variant.flags, dtype: "bfloat16", body) }
            try withServer(variant.model, variant.flags, dtype: "bfloat16", body)
        }

        private func weather(_ variant: Chaos.Variant, includesFront: Bool) throws {
            try serve(variant) { server in
                let chaos = try Chaos(server, load: variant.load, includesFront: includesFront)
                let expected = try chaos.undisturbed()
                #expect(chaos.faults(of: expected) == [])
                try server.awaitIdleness()
                let before = try server.descriptors()
                let report = try chaos.run(comparingWith: expected)
                print("\(variant.name): \(report)")
                #expect(report.failures == [])
                #expect(report.different == 0)
                #expect(report.invalid == [])
                #expect(report.refusals == 0)
                #expect(includesFront || report.lostConnections == 0)
                #expect(report.kills >= Chaos.pace.leastKills)
                #expect(report.requests > 0)
                // After the storm each request gives what it gave before, and nothing is held for anyone.
                try server.allReady()
                #expect(try chaos.undisturbed() == expected)
                try server.awaitIdleness()
                let after = try server.descriptors()
                for (title, count) in after { #expect(count <= (before[title] ?? 0) + 2, "descriptors of \(title)") }
                #expect(server.zombies == [])
                #expect(try server.strayFiles() == [])
                let stopped = try server.stop()
                #expect(stopped.ending == .code(0) && stopped.leftovers == [])
            }
        }
    }
}

import JSON
import TestSupport
import Testing

extension Server {
    /// Sends chats, again and again, and kills each neighbour of the front, and then all of them, while they are under way: none
    /// may be another than without.
    func expectDeathsChangeNothing(in requests: [JSONObject], answered undisturbed: [ChatAnswer]) throws {
        for titles in Title.neighbours.map({ [$0] }) + [Title.neighbours] {
            let victims = try titles.map { try incarnation(of: $0) }
            let chunks = EventBoard([Int: Int]())
            let crew = started(requests.count) { index in
                try self.chat(requests[index]) { count in chunks.update { $0[index] = count } }
            }
            let begun: Void? = chunks.wait { seen in
                seen.values.filter { $0 > 20 }.count >= 3 || crew.ended > 0 ? () : nil
            }
            try #require(begun != nil)
            try kill(victims)
            #expect(crew.ended < requests.count, "all ended before \(titles) died")
            for (index, answer) in try crew.results().enumerated() {
                #expect(answer == undisturbed[index], "request \(index) after the death of \(titles)")
            }
            try allReady()
        }
        try awaitIdleness()
    }
}

package import Messages

/// Responses that clients may ask for again. They are in the same journal as the sessions, so they outlive the front too.
extension FrontKeepsake {
    /// Keeps a response, and gives up others where there is no room.
    package func keep(_ response: StoredResponse, as id: String, within limits: ResponseLimits) {
        let now = clock()
        update { contents in (Self.keeping(response, id, contents.responses, limits, now), ()) }
    }

    /// Keeps a response that is to be made while no client waits; false where there are too many of them.
    package func begin(_ response: StoredResponse, as id: String, within limits: ResponseLimits) -> Bool {
        let now = clock()
        return update { contents in
            guard contents.responses.hasRoom(for: response, limits) else { return ([], false) }
            return (Self.keeping(response, id, contents.responses, limits, now), true)
        }
    }

    /// The response of a name.
    package func response(_ id: String, within limits: ResponseLimits) -> StoredResponse? {
        let now = clock()
        return update { contents in
            let found = contents.responses.responses[id].flatMap { limits.isOver($0, now: now) ? nil : $0 }
            return (contents.responses.excess(limits, now: now).map { .deletingResponse($0) }, found)
        }
    }

    /// Keeps a response that was made in the background, unless somebody has cancelled or deleted it meanwhile.
    package func finish(_ response: StoredResponse, as id: String, within limits: ResponseLimits) {
        let now = clock()
        update { contents in
            guard contents.responses.responses[id]?.hasWork == true else { return ([], ()) }
            return (Self.keeping(response, id, contents.responses, limits, now), ())
        }
    }

    /// Changes a response that is still being made, and ends the work on it.
    ///
    /// - Returns: The response as it was before; nil where there is none of the name.
    package func cancel(
        _ id: String, _ change: @Sendable (inout StoredResponse) -> Void
    ) -> StoredResponse? {
        update { contents in
            guard let found = contents.responses.responses[id], found.hasWork else {
                return ([], contents.responses.responses[id])
            }
            var changed = found
            changed.clearWork()
            change(&changed)
            return ([.response(changed, as: id)], found)
        }
    }

    /// Forgets a response; false when there is none of the name.
    package func deleteResponse(_ id: String) -> Bool {
        update { contents in
            let isThere = contents.responses.responses[id] != nil
            return (isThere ? [.deletingResponse(id)] : [], isThere)
        }
    }

    /// Responses whose front is gone: they are this one's from now on.
    ///
    /// - Parameter living: generations of the fronts that live.
    package func adoptResponses(by front: UInt64, living: Set<UInt64>) -> [(id: String, response: StoredResponse)] {
        update { contents in
            let orphans = contents.responses.order.compactMap { id -> (id: String, response: StoredResponse)? in
                guard var response = contents.responses.responses[id], response.hasWork,
                    !living.contains(response.work.front)
                else { return nil }
                response.work.front = front
                return (id, response)
            }
            return (orphans.map { .response($0.response, as: $0.id) }, orphans)
        }
    }

    private static func keeping(
        _ response: StoredResponse, _ id: String, _ shelf: ResponseShelf, _ limits: ResponseLimits, _ now: Double
    ) -> [SessionRecord] {
        var shelf = shelf
        shelf.put(response, as: id)
        return [.response(response, as: id)] + shelf.excess(limits, now: now).map { .deletingResponse($0) }
    }
}

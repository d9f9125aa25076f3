/// The requests that wait or run, each in a row that it keeps while it is there.
///
/// Queues hold rows, not ids: a row is found without hashing, and a request is changed where it lies.
struct RequestTable: Sendable {
    /// Every row; those of requests that left are blank.
    var rows: [ScheduledRequest] = []
    private var blank: [Int] = []
    private var places: [UInt64: Int] = [:]

    /// Nothing waits and nothing runs.
    var isEmpty: Bool { places.isEmpty }

    /// Ids of everything that is there.
    var ids: [UInt64] { Array(places.keys) }

    /// The row of a request.
    func row(of id: UInt64) -> Int? { places[id] }

    /// Gives a request a row.
    mutating func add(_ request: ScheduledRequest) -> Int {
        precondition(places[request.id] == nil, "a request was queued twice")
        let row: Int
        if let unused = blank.popLast() {
            row = unused
            rows[row] = request
        } else {
            row = rows.count
            rows.append(request)
        }
        places[request.id] = row
        return row
    }

    /// Forgets the request of a row.
    mutating func remove(_ row: Int) {
        places[rows[row].id] = nil
        rows[row] = ScheduledRequest(id: 0, prompt: [], maxNewTokens: 0)
        blank.append(row)
    }
}

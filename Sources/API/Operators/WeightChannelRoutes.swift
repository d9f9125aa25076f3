internal import APICore
internal import Hummingbird
internal import JSON

/// Weights that are pushed into a running server instead of read from files. The reference's clients push torch's pickles of shared or
/// device memory, which cannot travel to another program; the window around them exists, so that clients learn what is missing.
struct WeightChannelRoutes: Sendable {
    let board: HealthBoard

    var routes: [Route] {
        [
            Route([.post], "/begin_weight_update", .admin) { [board] _, _ in
                board.openUpdateWindow(true)
                    ? Self.answer(false, "A weight update is already in progress.") : Self.answer(true, "")
            },
            Route([.post], "/end_weight_update", .admin) { [board] _, _ in
                board.openUpdateWindow(false)
                    ? Self.answer(true, "") : Self.answer(false, "No weight update is in progress.")
            },
            Route([.post], "/update_weights_from_tensor", .admin) { [board] _, _ in
                let name = "update_weights_from_tensor"
                guard board.view.isUpdateWindowOpen else {
                    return Self.answer(false, "\(name) must run between begin_weight_update() and end_weight_update()")
                }
                return Self.answer(
                    false,
                    "\(name) takes Python pickles that name the sender's shared or device memory, which cannot be reached over "
                        + "HTTP: write a safetensors checkpoint and call /update_weights_from_disk.")
            },
        ]
    }

    private static func answer(_ success: Bool, _ message: String) -> Response {
        .json(["success": .bool(success), "message": .string(message)], status: success ? .ok : .badRequest)
    }
}

/// The limits that supervision keeps to. Times are in seconds.
package struct SupervisorPolicy: Sendable, Equatable {
    /// What happens when a process dies once the server has served.
    package enum OnFailure: Sendable { case restart, exit }

    /// Number of tensor-parallel ranks.
    package var ranks = 1
    package var onFailure = OnFailure.restart
    /// Restarts of one unit within `failureWindow` that are tried before it counts as failed.
    package var maxRestarts = 5
    package var failureWindow = 600.0
    /// Deaths of a unit within a minute by signals from outside that do not count as failures.
    package var killsForgivenPerMinute = 30
    /// First pause before a restart; it doubles up to the limit.
    package var backoffFirst = 0.5
    package var backoffLimit = 30.0
    /// A unit that was ready this long is restarted without a pause.
    package var immediateAfter = 10.0
    /// A unit that was ready this long starts its failure count anew.
    package var forgivenAfter = 60.0
    /// A heartbeat older than this makes the server unhealthy; a little less than the 3 s within which that must show.
    package var heartbeatLate = 2.7
    /// A heartbeat older than this means that the process hangs.
    package var heartbeatLost = 10.0
    /// Longest computing phase (`--watchdog-timeout`).
    package var computePhaseLimit = 300.0
    /// Longest phase of any other kind but waiting for work.
    package var otherPhaseLimit = 10.0
    /// Longest time without progress during start-up.
    package var startupSilence = 60.0
    /// Time that running requests get after SIGTERM.
    package var drainTimeout = 30.0
    /// What the front may take beyond `drainTimeout` to end its streams properly.
    package var drainMargin = 2.0
    /// From the order to stop to SIGTERM.
    package var termAfter = 1.0
    /// From the order to stop to SIGKILL.
    package var killAfter = 5.0
    /// The same in a hurry: from SIGTERM to SIGKILL.
    package var hurriedKillAfter = 1.0
    /// A request is sent to the server itself before it counts as serving.
    package var warmup = true
    /// Seed of the jitter of pauses.
    package var jitterSeed: UInt64 = 0

    package init() {}
}

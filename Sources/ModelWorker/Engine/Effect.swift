package import Logging
package import Messages

/// What the engine wants done: the shell does it, in order.
package enum Effect: Sendable, Equatable {
    /// A message to the detokenizer.
    case detokenizer(DetokenizerCommand)
    /// A message to a front.
    case front(FrontReply)
    /// The first values of a weight, for the call that asks for them.
    case readWeight(call: UInt64, WeightByName)
    /// A profile begins, or ends where there is no order.
    case profile(call: UInt64, StartProfile?)
    /// A record of experts to write to a file, for the call that asks for it.
    case writeExperts(call: UInt64, ExpertRecord)
    /// A line for the log.
    case log(Logger.Level, String)
    /// A line about a batch; the time of day is still to be added, as operators' tools expect it at the end.
    case batchLine(String)
}

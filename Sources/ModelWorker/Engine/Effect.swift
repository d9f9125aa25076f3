package import Grammar
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
    /// All ranks pack other weights beside the present ones.
    case prepareWeights(path: String, loadFormat: String)
    /// All ranks compute the checksum of their weights.
    case checksumWeights
    /// All ranks go on with the weights that they prepared, once these are written down; nil: the present ones were prepared anew,
    /// and there is nothing to write down. The files of those before may go.
    case exchangeWeights(ServedWeights?, removesOld: Bool)
    /// All ranks forget what they prepared or computed.
    case discardWeights
    /// All ranks give memory back, or take it again.
    case releaseWeights
    case releaseCache
    case restoreCache
    /// A profile begins, or ends where there is no order.
    case profile(call: UInt64, StartProfile?)
    /// A record of experts to write to a file, for the call that asks for it.
    case writeExperts(call: UInt64, ExpertRecord)
    /// A grammar to compile beside the steps; `Engine.compiled` tells what came of it.
    case compile(GrammarSource)
    /// A mask to work out beside the next step, which needs it.
    case prepareMask(MaskOrder)
    /// A line for the log.
    case log(Logger.Level, String)
    /// A line about a batch; the time of day is still to be added, as operators' tools expect it at the end.
    case batchLine(String)
}

import Tensors

/// What a network with mixtures of experts chooses from: the same number of experts in each layer that has any.
package struct ExpertTraits: Sendable, Equatable {
    /// Layers of the network, those without experts included.
    package var layers: Int
    /// Experts of a layer.
    package var count: Int
    /// Experts that a row takes in each layer.
    package var each: Int

    /// States them.
    package init(layers: Int, count: Int, each: Int) {
        self.layers = layers
        self.count = count
        self.each = each
    }
}

/// A layer's place among those that choose experts, by the order in which they were planned.
struct RoutingID: Equatable { let index: Int }

/// What a layer of experts plans: which layer of the network it is, and what its rows choose from.
struct RoutingShape: Equatable {
    let layer: Int
    let experts: Int
    let each: Int
}

/// The experts that the rows of the last step took, layer by layer.
final class ChosenExperts {
    /// What they are chosen from.
    let traits: ExpertTraits
    private let memory: AlignedBuffer
    private let layerSize: Int
    /// Each layer's place in the memory; nil for those without experts.
    private let places: [Int?]
    /// How many rows went through all layers.
    private(set) var rows = 0

    /// Memory for the rows of a step; nil where no layer has experts.
    init?(_ traits: ExpertTraits?, _ shapes: [RoutingShape], limits: ForwardLimits) throws(CheckpointError) {
        guard let traits else { return nil }
        self.traits = traits
        layerSize = limits.rows * traits.each
        var places = [Int?](repeating: nil, count: traits.layers)
        for (index, shape) in shapes.enumerated() { places[shape.layer] = index }
        self.places = places
        let byteCount = shapes.count * layerSize * MemoryLayout<Int32>.size
        guard let memory = AlignedBuffer(byteCount: byteCount) else {
            throw .outOfMemory(purpose: "the experts of a step's rows", byteCount: byteCount)
        }
        self.memory = memory
    }

    /// Where a layer writes its rows' experts, `[rows][each]`.
    subscript(id: RoutingID) -> UnsafeMutablePointer<Int32> {
        memory.pointer.assumingMemoryBound(to: Int32.self) + id.index * layerSize
    }

    /// A step begins; `rows` is how many of its rows go through all layers, 0 where some are dropped on the way.
    func begin(rows: Int) { self.rows = rows }

    /// The experts of the last step's rows in a layer, `[rows][each]`; empty for a layer without.
    func rows(inLayer layer: Int) -> UnsafeBufferPointer<Int32> {
        guard let place = places[layer] else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: self[RoutingID(index: place)], count: rows * traits.each)
    }
}

/// Variables of one body of statements, and the body around it.
final class Scope {
    let parent: Scope?
    private var names: [Name] = []
    private var values: [Value] = []

    init(_ parent: Scope?) { self.parent = parent }

    /// The value of a variable here or further out.
    func find(_ name: Name) -> Value? {
        var scope = self
        while true {
            if let place = scope.names.firstIndex(of: name) { return scope.values[place] }
            guard let parent = scope.parent else { return nil }
            scope = parent
        }
    }

    func set(_ name: Name, _ value: Value) {
        if let place = names.firstIndex(of: name) {
            values[place] = value
        } else {
            names.append(name)
            values.append(value)
        }
    }

    func removeAll() {
        names.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }
}

/// Where a loop stands: what `loop` is inside of it.
final class LoopState {
    let elements: [Value]
    let extent: Extent
    /// Nesting of a recursive loop, from 0.
    let level: Int
    /// The loop itself, where it is recursive, and the scope in which it stands.
    let recursion: (loop: Statement.Loop, scope: Scope)?
    var index = 0
    /// What `changed` was last asked about.
    var lastChecked: Value?

    init(_ elements: [Value], level: Int, recursion: (loop: Statement.Loop, scope: Scope)?) throws(TemplateError) {
        extent = try Extent(around: elements)
        self.elements = elements
        self.level = level
        self.recursion = recursion
    }

    var length: Int { elements.count }

    /// An attribute of `loop`; nil where there is none of that name.
    func attribute(_ name: String) -> Value? {
        switch name {
        case "index": .int(index + 1)
        case "index0": .int(index)
        case "revindex": .int(length - index)
        case "revindex0": .int(length - index - 1)
        case "first": .bool(index == 0)
        case "last": .bool(index == length - 1)
        case "length": .int(length)
        case "depth": .int(level + 1)
        case "depth0": .int(level)
        case "previtem": index > 0 ? elements[index - 1] : .undefined("there is no previous item")
        case "nextitem": index + 1 < length ? elements[index + 1] : .undefined("there is no next item")
        default: nil
        }
    }
}

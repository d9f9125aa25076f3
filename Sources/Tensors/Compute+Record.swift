internal import CKernels

/// What the threads of a `Compute` did, loop by loop, for a profile.
package struct ComputeRecord: ~Copyable {
    /// One parallel loop of an operation.
    package struct Span: Sendable, Equatable {
        package let name: String
        /// Nanoseconds of the monotonic clock.
        package let begin, end: Int64
    }

    private let compute: Compute
    private let spans: UnsafeMutableBufferPointer<kernels_timing>

    /// Records until it goes away or has `capacity` loops.
    package init(of compute: Compute, capacity: Int) {
        self.compute = compute
        spans = .allocate(capacity: capacity)
        kernels_record(compute.handle, spans.baseAddress, capacity)
    }

    deinit {
        kernels_record(compute.handle, nil, 0)
        spans.deallocate()
    }

    /// There is no room for more.
    package var isFull: Bool { kernels_recorded(compute.handle) == spans.count }

    /// The loops so far, in order.
    package var recorded: [Span] {
        spans.prefix(kernels_recorded(compute.handle)).map { span in
            Span(name: String(cString: span.name), begin: span.begin, end: span.end)
        }
    }
}

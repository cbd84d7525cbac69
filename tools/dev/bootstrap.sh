#!/usr/bin/env bash
# Installs what the build needs from Debian 12's own packages, and nothing that is already there.
#   bootstrap.sh [GROUP...]     groups of packages.txt; default: runtime compiler tests
#   bootstrap.sh cuda           the disassemblers that test/Cuda/sass.test reads, from PyPI into build/cuda-tools
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(runtime compiler tests)

missing=()
while read -r name tested group; do
  case "$name" in ''|'#'*) continue ;; esac
  [[ " ${groups[*]} " == *" $group "* ]] || continue
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$name" 2>/dev/null || true)
  case "$installed" in
    "installed $tested") ;;
    installed*) echo "bootstrap: $name ${installed#installed } (tested with $tested)" >&2 ;;
    *) missing+=("$name") ;;
  esac
done < "$here/packages.txt"

if [ ${#missing[@]} -gt 0 ]; then
  echo "bootstrap: installing ${missing[*]}" >&2
  sudo=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "bootstrap: root or sudo is needed to install packages" >&2; exit 1; }
    sudo=sudo
  fi
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [[ " ${groups[*]} " == *" cuda "* ]]; then
  tools=$here/../../build/cuda-tools
  if ! ls "$tools"/lib/python3*/site-packages/nvidia/*/bin/cuobjdump >/dev/null 2>&1; then
    echo "bootstrap: installing cuobjdump and nvdisasm in build/cuda-tools" >&2
    python3 -m venv "$tools"
    "$tools/bin/pip" install -q nvidia-cuda-cuobjdump==13.* nvidia-cuda-nvdisasm==13.*
  fi
fi

#!/usr/bin/env bash
# Formatting and clang-tidy of the files changed since a commit (default: the last commit).
#   tidy.sh [BASE]      --check as BASE: only verify the formatting of every tracked file, change nothing
set -euo pipefail
cd "$(dirname "$0")/../.."
format=$(command -v clang-format-22 || true)
[ -n "$format" ] || { echo "tidy: clang-format-22 is missing: tools/dev/bootstrap.sh tidy" >&2; exit 1; }
if [ "${1:-}" = --check ]; then
  git ls-files '*.cpp' '*.h' '*.cu' | xargs -r "$format" --dry-run -Werror
  exit
fi
base=${1:-HEAD~1}
mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- '*.cpp' '*.h' '*.cu')
[ ${#files[@]} -gt 0 ] || exit 0
"$format" -i "${files[@]}"
tidy=$(command -v clang-tidy-22 || true)
[ -z "$tidy" ] || "$tidy" -p build/release --quiet $(printf '%s\n' "${files[@]}" | grep '\.cpp$' || true)

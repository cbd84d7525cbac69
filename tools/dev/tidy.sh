#!/usr/bin/env bash
# Formatting and clang-tidy of the files changed since a commit (default: the last commit).
#   tidy.sh [BASE]      --check as BASE: only verify the formatting of every tracked file, change nothing
set -euo pipefail
cd "$(dirname "$0")/../.."
format=$(command -v clang-format-22 || true)
[ -n "$format" ] || { echo "tidy: clang-format-22 is missing: tools/dev/bootstrap.sh tidy" >&2; exit 1; }
if [ "${1:-}" = --check ]; then
  # Not --dry-run: that reports comments behind namespaces of a macro's name, which it writes as they are.
  wrong=0
  while read -r file; do
    "$format" "$file" | cmp -s - "$file" || { echo "tidy: $file is not formatted" >&2; wrong=1; }
  done < <(git ls-files '*.cpp' '*.h' '*.cu')
  exit $wrong
fi
base=${1:-HEAD~1}
mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- '*.cpp' '*.h' '*.cu')
[ ${#files[@]} -gt 0 ] || exit 0
"$format" -i "${files[@]}"
tidy=$(command -v clang-tidy-22 || true)
[ -z "$tidy" ] || "$tidy" -p build/release --quiet $(printf '%s\n' "${files[@]}" | grep '\.cpp$' || true)

#!/usr/bin/env bash
# Measures what low bits do to the thinking of a model and what each control repairs, and writes the
# tables of docs/reasoning-study.md anew (between its markers). One command, from compiled tools to
# tables; what is in the work directory is not made again, but for --fresh: an interrupted run goes on
# with the arm it was at, and further arms cost only themselves.
#   reasoning-study.sh [--quick] [--fresh] [--bin DIR] [--work DIR] [--doc FILE|-] [--model NAME=PATH ...]
#                      [--precision-only NAME ...] [--tasks FILE] [--calib-tasks FILE] [--seeds N] [--limit N] [--threads N] [--jobs N]
# --quick: one model, few problems, for a smoke test. Without --model and --tasks it takes
# examples/reasoner and problems of tools/dev/word_problems.py.
set -euo pipefail
exec python3 "$(dirname "$0")/reasoning_study.py" "$@"

#!/usr/bin/env bash
# Compiles every model with every algorithm, evaluates the files on held-out text and writes the tables of
# docs/quality.md anew (each between its marks). What is in the work directory is not made again, but for
# --fresh: an interrupted study goes on, and a model can be added later.
#   quality-study.sh [--fresh] [--bin DIR] [--work DIR] [--doc FILE|-] [--shared DIR] [--threads N]
#                    [--model NAME[=PATH] ...] [--table NAME ...] [--minutes M] [--keep-going] [--known-only]
# Models: reasoner and reasoner_outliers (the default; of --shared) and smollm2=PATH/model.onnx. Tables:
# algorithms, options, mixed, solved. --shared, or $QOPT_SHARED, is the folder of the test fixtures.
# --minutes M: begins no row after that time; --known-only: measures nothing. Both write what is known.
set -euo pipefail
exec python3 "$(dirname "$0")/quality_study.py" "$@"

#!/bin/sh
# Makes the model from starter-embed's training: fitting, export, manifest, figures.
# PYTHON names an interpreter with requirements.txt installed.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
mkdir -p work
nice -n 19 "$python" fit.py
"$python" export_ranker.py
"$python" rank_manifest.py
"$python" measure.py

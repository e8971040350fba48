#!/bin/sh
# Makes the model from nothing: teacher's vectors, pieces, training, export, manifest, figures. About two hours of one core.
# PYTHON names an interpreter with requirements.txt installed.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
mkdir -p work
"$python" teacher.py
"$python" vocabulary.py
nice -n 19 "$python" train.py
"$python" export.py
"$python" manifest.py
"$python" evaluate.py

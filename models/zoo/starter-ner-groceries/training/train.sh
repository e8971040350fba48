#!/bin/sh
# Makes the model from nothing: pieces, held-out rows, training, export, manifest, measurements.
# About 30 minutes on one core. PYTHON names an interpreter with requirements.txt installed.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
"$python" pieces.py
"$python" generate.py heldout
nice -n 19 "$python" train.py
"$python" export.py
"$python" manifest.py
"$python" check_batching.py
"$python" evaluate.py

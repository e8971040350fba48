"""Owns where things lie: this folder's work/, and starter-embed's training code, whose modules are imported by name.

Import this before any of them.
"""
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
ASSETS = Path(os.environ.get("MILLRACE_ASSETS", HERE.parents[4] / "shared" / "assets"))
sys.path.append(str(HERE.parents[1] / "starter-embed" / "training"))

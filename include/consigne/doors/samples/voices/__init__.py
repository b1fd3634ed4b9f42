"""Spoken pieces, prepared by `make.py` with espeak-ng; `pieces.csv` says where each lies in its file."""

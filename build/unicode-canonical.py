#!/usr/bin/env python3
"""Writes src/ToolN1.Engine/Tokenization/unicode-canonical.txt from Python's copy of the Unicode Character Database.

Lines: `c FIRST LAST CLASS` (canonical combining class), `d CODE TO [TO]` (canonical decomposition, one step) and
`x CODE TO [TO]` (the same, but never composed again: singletons, non-starters, composition exclusions).
Hangul syllables are arithmetic and not listed. Run: python3 build/unicode-canonical.py > THE_FILE
"""
import sys
import unicodedata

print(f"# Unicode {unicodedata.unidata_version}, made by build/unicode-canonical.py. Data: Unicode-3.0 licence, unicode.org/license.txt")
start, current = 0, 0
for code in range(sys.maxunicode + 2):
    value = unicodedata.combining(chr(code)) if code <= sys.maxunicode else 0
    if value != current:
        if current:
            print(f"c {start:X} {code - 1:X} {current}")
        start, current = code, value
for code in range(sys.maxunicode + 1):
    decomposition = unicodedata.decomposition(chr(code))
    if decomposition and not decomposition.startswith("<"):
        composes = unicodedata.normalize("NFC", chr(code)) == chr(code)
        print("d" if composes else "x", f"{code:X}", " ".join(f"{int(part, 16):X}" for part in decomposition.split()))

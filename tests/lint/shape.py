#!/usr/bin/env python3
"""The caps and the words that CONVENTIONS.md gives: sizes of functions and files, functions that nobody calls."""

import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
FUNCTION_LINES, PARAMETERS, BLOCKS, FILE_LINES, HEADER_LINES, COLUMNS = 60, 7, 4, 800, 150, 128
NEVER = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|system|popen|alloca)\s*\(")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|not implemented|placeholder")
CODE = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)


def bare(text):
    """The code without comments, strings and characters; lines stay where they are."""
    return CODE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def functions(path):
    """Name, first and last line of each function, and its parameters as written."""
    out = subprocess.run(["ctags", "--output-format=xref", "--kinds-C=f", "--_xformat=%N\t%n\t%{end}\t%{signature}",
                          "--fields=+neS", "--language-force=C", "-f", "-", str(path)],
                         capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        name, start, end, signature = line.split("\t")
        if end.isdigit():
            yield name, int(start), int(end), signature


def parameters(signature):
    depth, count = 0, 1
    for c in signature[1:-1]:
        depth += (c in "([") - (c in ")]")
        count += c == "," and depth == 0
    return count


def deepest(lines):
    """How many blocks lie in one another inside a function."""
    depth = most = 0
    for c in "".join(lines):
        depth += (c == "{") - (c == "}")
        most = max(most, depth)
    return most - 1


def problems(path):
    text = path.read_text()
    lines, name = text.splitlines(), path.relative_to(TOP)
    code = bare(text).splitlines()
    cap = HEADER_LINES if path.suffix == ".h" else FILE_LINES
    if len(lines) > cap:
        yield f"{name}: {len(lines)} lines, at most {cap}"
    for number, line in enumerate(lines, 1):
        if path.suffix == ".c" and len(line) > COLUMNS:
            yield f"{name}:{number}: {len(line)} columns, at most {COLUMNS}"
        if UNFINISHED.search(line):
            yield f"{name}:{number}: unfinished: {line.strip()}"
    for number, line in enumerate(code, 1):
        for m in NEVER.finditer(line):
            yield f"{name}:{number}: nobody calls {m[1]}()"
    if path.suffix == ".c" and path.is_relative_to(TOP / "src"):
        for function, start, end, signature in functions(path):
            if end - start + 1 > FUNCTION_LINES:
                yield f"{name}:{start}: {function}() has {end - start + 1} lines, at most {FUNCTION_LINES}"
            if parameters(signature) > PARAMETERS:
                yield f"{name}:{start}: {function}() has {parameters(signature)} parameters, at most {PARAMETERS}"
            if deepest(code[start - 1:end]) > BLOCKS:
                yield f"{name}:{start}: {function}() nests blocks deeper than {BLOCKS}"


files = [p for d in ("src", "tests") for p in sorted((TOP / d).rglob("*.[ch]")) if p.name != "placeholder.c"]
found = [line for path in files for line in problems(path)]
print("\n".join(found))
sys.exit(1 if found else 0)

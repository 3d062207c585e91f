#!/usr/bin/python3
"""Writes the numbered migrations as a C table: embed.py OUT.c sql/0001_name.sql ..."""
import os
import re
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def entry(path):
    name = os.path.splitext(os.path.basename(path))[0]
    number = re.fullmatch(r"(\d{4})_[a-z0-9_]+", name)
    if not number:
        sys.exit(f"{path}: a migration is named 0000_words.sql")
    with open(path, encoding="ascii") as f:
        text = "\n     ".join(literal(line.rstrip("\n")) for line in f)
    return int(number[1]), f'    {{{int(number[1])}, "{name}",\n     {text}}},\n'


def main():
    out, sources = sys.argv[1], sys.argv[2:]
    entries = sorted(entry(path) for path in sources)
    if [n for n, _ in entries] != list(range(1, len(entries) + 1)):
        sys.exit("migrations are numbered 1, 2, 3 ... without a gap")
    with open(out, "w", encoding="ascii") as f:
        f.write('#include "meta/migrations.h"\n\n')
        f.write("const struct db_migration meta_migrations[] = {\n")
        f.writelines(text for _, text in entries)
        f.write("};\nconst size_t meta_migrations_count = ARRAY_LEN(meta_migrations);\n")


main()

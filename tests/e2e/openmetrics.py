#!/usr/bin/env python3
"""A strict reader of the OpenMetrics 1.0 text format, as far as mailreeve uses it: exits 1 and names the line that breaks it."""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
SUFFIX = {"gauge": "", "counter": "_total", "info": "_info", "stateset": ""}
NEXT = {"TYPE": {None, "sample"}, "UNIT": {"TYPE"}, "HELP": {"TYPE", "UNIT"}, "sample": {"HELP", "sample"}}


def check(text):
    lines = text.split("\n")
    assert lines[-2:] == ["# EOF", ""], "the end is no EOF"
    seen, samples, family, kind, last = set(), set(), None, None, None
    for line in lines[:-2]:
        meta = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.+)", line)
        what = meta.group(1) if meta else "sample"
        assert last in NEXT[what], f"{what} after {last}: {line}"
        if what == "TYPE":
            family, kind = meta.group(2), meta.group(3)
            assert kind in SUFFIX, f"no type: {line}"
            assert family not in seen, f"a family twice: {line}"
            assert not family.endswith(("_total", "_info")), f"a family named as a sample: {line}"
            seen.add(family)
        elif meta:
            assert meta.group(2) == family, f"of another family: {line}"
            if what == "UNIT":
                assert family.endswith("_" + meta.group(3)) and kind in ("gauge", "counter"), line
        else:
            check_sample(line, family, kind, samples)
        last = what
    assert last == "sample", "a family without samples"


def check_sample(line, family, kind, samples):
    sample = SAMPLE.fullmatch(line)
    assert sample, f"no sample: {line}"
    name, labels, value = sample.groups()
    assert name == family + SUFFIX[kind], f"not of {family}: {line}"
    assert (name, labels) not in samples, f"twice: {line}"
    samples.add((name, labels))
    if kind == "info":
        assert value == "1", line
    if kind == "stateset":
        assert value in ("0", "1") and labels.startswith(family + "="), line
    if kind == "counter":
        assert not value.startswith("-"), line


if __name__ == "__main__":
    try:
        check(open(sys.argv[1], encoding="utf-8").read())
    except AssertionError as error:
        sys.exit(f"{sys.argv[1]}: {error}")

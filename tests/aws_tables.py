#!/usr/bin/env python3
"""Compares two folders of tables in AWS's layout (<topic>/bag_file=<bag>/data.parq): names, types and values, column by column.

    pip install pyarrow
    tests/aws_tables.py theirs ours

Exit code 1 where a table of `theirs` is missing in `ours`, or differs.
"""
import glob, math, os, sys
import pyarrow.parquet as pq


def same(a, b):
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def differences(theirs, ours):
    if theirs.column_names != ours.column_names:
        return [f"columns {theirs.column_names} there, {ours.column_names} here"]
    told = []
    for name in theirs.column_names:
        a, b = theirs[name], ours[name]
        if a.type != b.type:
            told.append(f"{name}: {a.type} there, {b.type} here")
        elif len(a) != len(b):
            told.append(f"{name}: {len(a)} rows there, {len(b)} here")
        else:
            rows = enumerate(zip(a.to_pylist(), b.to_pylist()))
            row = next(((n, x, y) for n, (x, y) in rows if not same(x, y)), None)
            if row:
                told.append(f"{name}[{row[0]}]: {str(row[1])[:200]} there, {str(row[2])[:200]} here")
    return told


def main():
    theirs, ours = sys.argv[1:3]
    files, failed = sorted(glob.glob(f"{theirs}/*/*/data.parq")), 0
    for path in files:
        name = os.path.relpath(path, theirs)
        mine = os.path.join(ours, name)
        told = differences(pq.ParquetFile(path).read(), pq.ParquetFile(mine).read()) if os.path.exists(mine) else ["missing"]
        failed += bool(told)
        for what in told:
            print(f"DIFFERS   {name}: {what}")
    print(f"{len(files) - failed} of {len(files)} tables are equal")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Compares what `roadreel query` reads of every file of apache/parquet-testing with what pyarrow reads, value by value.

    pip install pyarrow
    tests/parquet_testing.py path/to/roadreel path/to/parquet-testing/data

Exit code 1 where a file differs that is not named below.
"""
import datetime, decimal, glob, math, os, subprocess, sys, tempfile
import pyarrow as pa, pyarrow.ipc as ipc, pyarrow.parquet as pq

# Files on which the two do not agree, by their path below the folder, and why.
EXCEPTIONS = {
    "dict-page-offset-zero.parquet": "its footer holds a list of i16 where the format has i64, which the Rust reader refuses",
    "incorrect_map_schema.parquet": "pyarrow refuses optional keys of maps, they are read here",
    "int96_from_spark.parquet": "the year 290000 does not fit into 64 bits of nanoseconds, and the two wrap around differently",
    "repeated_no_annotation.parquet": "its footer says that it has no rows",
    "nation.dict-malformed.parquet": "the size of a page is wrong in it",
}


def plain(value):
    """A value without the differences that types of libraries make."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, tuple) and len(value) == 2:
        return [plain(v) for v in value]
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, decimal.Decimal):
        return value.normalize()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return value


def nanos(column):
    """Instants as whole nanoseconds: Python's own cannot hold all of them."""
    if pa.types.is_timestamp(column.type):
        unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[column.type.unit]
        return [None if v is None else v * unit for v in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_time(column.type):
        unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[column.type.unit]
        whole = pa.int32() if pa.types.is_time32(column.type) else pa.int64()
        return [None if v is None else v * unit for v in column.cast(whole).to_pylist()]
    try:
        return [plain(v) for v in column.to_pylist()]
    except OverflowError:  # instants within structures that Python cannot hold
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        fields = [nanos(part) for part in whole.flatten()]
        return [tuple(row) if valid else None for row, valid in zip(zip(*fields), whole.is_valid().to_pylist())]


def texts(values):
    """Byte arrays that say nothing of being texts may be read as either."""
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]


def ours(program, path, folder):
    out = os.path.join(folder, "out.arrow")
    if os.path.exists(out):
        os.remove(out)
    done = subprocess.run([program, "--no-cache", "query", "SELECT * FROM t", "--table", f"t={path}", "-o", out], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip()
    with ipc.open_file(out) as file:
        return file.read_all(), ""


def theirs(path):
    try:
        return pq.ParquetFile(path).read(), ""
    except Exception as error:
        return None, str(error).splitlines()[0]


def differences(a, b):
    if a.num_rows != b.num_rows:
        return f"{a.num_rows} rows here, {b.num_rows} there"
    if a.column_names != b.column_names:
        return f"columns {a.column_names} here, {b.column_names} there"
    for number, name in enumerate(a.column_names):
        here, there = nanos(a.column(number)), nanos(b.column(number))
        if here != there and texts(here) != texts(there):
            row = next(i for i, (x, y) in enumerate(zip(here, there)) if x != y)
            return f"{name}[{row}]: {str(here[row])[:80]} here, {str(there[row])[:80]} there"
    return None


def main():
    program, data = sys.argv[1], sys.argv[2]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(p for p in glob.glob(f"{data}/**/*", recursive=True) if p.endswith((".parquet", ".parquet.encrypted")))
        counts = {"equal": 0, "refused by both": 0, "excepted": 0}
        for path in files:
            name = os.path.relpath(path, data)
            (here, why_here), (there, why_there) = ours(program, path, folder), theirs(path)
            told = None
            if here is None and there is None:
                if len(why_here.splitlines()) != 1 or "panicked" in why_here:
                    told = f"refused, but not with a sentence: {why_here}"
                else:
                    counts["refused by both"] += 1
            elif here is None:
                told = f"refused here: {why_here}"
            elif there is None:
                told = f"refused there: {why_there}"
            else:
                told = differences(here, there)
                counts["equal"] += told is None
            if told and name in EXCEPTIONS:
                counts["excepted"] += 1
                print(f"excepted  {name}: {told} ({EXCEPTIONS[name]})")
            elif told:
                failed += 1
                print(f"DIFFERS   {name}: {told}")
            elif name in EXCEPTIONS:
                failed += 1
                print(f"EQUAL     {name}: named as an exception, but is none")
        print(", ".join(f"{n} {what}" for what, n in counts.items()), f"of {len(files)} files")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

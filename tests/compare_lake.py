#!/usr/bin/env python3
"""Measures `roadreel query` and `find` beside DuckDB and pandas, and puts the ratios into the README.

    compare_lake.py ROADREEL

Needs the PyPI packages duckdb, rosbags and pandas, and for the first row flights-3m.parquet in $ROADREEL_TEST_DATA; what is not there is
passed over, which is said. The file cache is warm; each figure is the median of seven
turns of both sides, where there are two, else of three runs. For the others what comes after their start and
imports is timed, for roadreel the whole process less what one takes that answers `SELECT 1`.
"""
import argparse, os, statistics, subprocess, sys, tempfile, time
from importlib import metadata
from pathlib import Path

from compare_peers import median, publish, run, time_row

DATA = Path(os.environ.get("ROADREEL_TEST_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
FLIGHTS = "SELECT origin, count(*) AS n, avg(delay) AS late FROM t WHERE distance > 500 GROUP BY origin ORDER BY n DESC, origin"
MADE = "SELECT class, count(*) AS n, avg(speed) AS mean, max(accel) AS most FROM t WHERE speed > 20 GROUP BY class ORDER BY class"
# A drive's signals, 50 million rows: five columns, row groups in time order as recorders write them.
ROWS = """COPY (SELECT 1600000000 + i * 1e-4 AS time, 15 + 14 * sin(i * 1e-5) AS speed, cos(i * 3e-4) * 3 AS accel,
    ['car', 'truck', 'person', 'bike'][CAST(1 + hash(i) % 4 AS INT)] AS class, i AS id FROM range(50000000) r(i)) TO '{}' (FORMAT parquet)"""
WINDOW = "SELECT avg(speed) AS mean FROM t WHERE time >= {} AND time < {}"
TOPICS = ("/imu_raw", "/odom", "/as_tx/objects")
CONDITION = "/vehicle/brake_report.pedal_input > 0.3 and /vehicle/steering_report.speed > 5"
SEARCHED_BAGS = 10
TURNS = 7


def task_duckdb(path, query):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads TO {os.cpu_count()}")
    start = time.perf_counter()
    connection.execute(query.replace(" t ", f" '{path}' ")).fetchall()
    print(time.perf_counter() - start)


def task_made(path):
    import duckdb

    duckdb.execute(ROWS.format(path))
    print(0.0)


def task_pandas(bag, topic):
    """A topic as a data frame, a column a field."""
    import pandas
    from compare_rosbags import store_of
    from rosbags.rosbag1 import Reader

    def flat(value, name, out):
        for field, inner in ((f, getattr(value, f)) for f in value.__dataclass_fields__ if not f.startswith("__")):
            path = f"{name}.{field}" if name else field
            if hasattr(inner, "__dataclass_fields__"):
                flat(inner, path, out)
            else:
                out[path] = inner
        return out

    start = time.perf_counter()
    with Reader(Path(bag)) as reader:
        store = store_of(reader)
        wanted = [c for c in reader.connections if c.topic == topic]
        rows = [{"time": t, **flat(store.deserialize_ros1(raw, c.msgtype), "", {})} for c, t, raw in reader.messages(wanted)]
    pandas.DataFrame(rows)
    print(time.perf_counter() - start)


def child(task, *arguments):
    out = subprocess.run([sys.executable, __file__, task, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return (float(out.stdout),)


def have(*packages):
    for package in packages:
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            print(f"passed over: the PyPI package {package} is not installed")
            return False
    return True


def beside(roadreel, sql, arguments, theirs):
    """The medians of a query's seconds, without the start of the process, and of another's, in turns: what slows the machine slows both."""
    empty = lambda: run([roadreel, "query", "SELECT 1"])[0]
    whole = lambda: run([roadreel, "query", sql, *arguments])[0]
    took = [(empty(), whole(), theirs()) for _ in range(TURNS)]
    start, whole, theirs = (statistics.median(column) for column in zip(*took))
    return whole - start, theirs


def against_duckdb(roadreel, folder, rows):
    if not have("duckdb"):
        return
    peer = f"DuckDB {metadata.version('duckdb')}"
    flights, made = DATA / "parquet" / "flights-3m.parquet", folder / "made.parquet"
    child("made", made)
    for path, what, sql in ((flights, "3 million flights", FLIGHTS), (made, "50 million rows", MADE)):
        if not path.exists():
            print(f"passed over: there is no {path}")
            continue
        arguments = ("--table", f"t={path}", "--csv")
        ours, theirs = beside(roadreel, sql, arguments, lambda: child("duckdb", path, sql)[0])
        rows.append(time_row(f"filter and aggregate {what} of Parquet", ours, peer, theirs))


def against_pandas(roadreel, bag, folder, rows):
    if not have("rosbags", "pandas"):
        return
    peer = f"rosbags {metadata.version('rosbags')} and pandas {metadata.version('pandas')}"
    out = folder / "topic.arrow"
    for topic in TOPICS:
        arguments = ("--table", f"d={bag}", "-o", out)
        ours, theirs = beside(roadreel, f'SELECT * FROM d."{topic}"', arguments, lambda: child("pandas", bag, topic)[0])
        rows.append(time_row(f"`{topic}` as a table", ours, peer, theirs))


def bytes_of_a_window(roadreel, folder, rows):
    """Two columns and 1 % of the time of a table that lies behind HTTP."""
    made = folder / "made.parquet"
    if not made.exists():
        return
    log = folder / "requests.log"
    server = Path(__file__).parent / "range_log.py"
    with subprocess.Popen([sys.executable, server, folder, log], stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        start = 1600000000 + 2000
        sql = WINDOW.format(start, start + 50)
        run([roadreel, "--no-cache", "query", sql, "--table", f"t=http://127.0.0.1:{port}/made.parquet", "--csv"])
        process.terminate()
    sent = sum(int(line) for line in log.read_text().split())
    size = made.stat().st_size
    line = f"| two columns and 1 % of the time of a Parquet file of {size / 1e9:.1f} GB over HTTP | {sent / 1e6:.1f} MB | {100 * sent / size:.2f} % of it | |"
    print(line)
    rows.append(line)


def search(roadreel, folder, rows):
    bags = folder / "bags"
    bags.mkdir()
    for number in range(SEARCHED_BAGS):
        run([roadreel, "demo", "--seconds", "6", "-o", bags / f"drive_{number}.bag"])
    raw = 0
    for bag in bags.iterdir():
        raw += raw_bytes(bag)
    wall, _ = median(lambda: run([roadreel, "find", bags, CONDITION]))
    line = f"| `find` two topics' condition in {SEARCHED_BAGS} bags, {raw / 1e9:.1f} GB decompressed | {wall:.2f} s | {raw / wall / 1e9:.1f} GB/s | |"
    print(line)
    rows.append(line)


def raw_bytes(bag):
    """What the chunks of a bag are when decompressed, as their headers say."""
    total = 0
    with open(bag, "rb") as file:
        end = bag.stat().st_size
        file.seek(13)
        while file.tell() < end:
            header = file.read(int.from_bytes(file.read(4), "little"))
            fields, at = {}, 0
            while at < len(header):
                length = int.from_bytes(header[at : at + 4], "little")
                name, value = header[at + 4 : at + 4 + length].split(b"=", 1)
                fields[name] = value
                at += 4 + length
            length = int.from_bytes(file.read(4), "little")
            if fields[b"op"] == b"\x05":
                total += int.from_bytes(fields[b"size"], "little")
            file.seek(length, 1)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roadreel")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        bag = folder / "drive.bag"
        run([options.roadreel, "demo", "--seconds", "60", "-o", bag])
        against_pandas(options.roadreel, bag, folder, rows)
        bag.unlink()
        against_duckdb(options.roadreel, folder, rows)
        bytes_of_a_window(options.roadreel, folder, rows)
        (folder / "made.parquet").unlink(missing_ok=True)
        search(options.roadreel, folder, rows)
    if rows:
        head = f"In one run on {os.cpu_count()} cores; queries without the start of the process.\n\n| work | Roadreel | other | ratio |\n|---|---:|---:|---:|\n"
        publish("lake", head + "\n".join(rows))


TASKS = {"duckdb": task_duckdb, "made": task_made, "pandas": task_pandas}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in TASKS:
        TASKS[sys.argv[1]](*sys.argv[2:])
    else:
        main()

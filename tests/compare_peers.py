#!/usr/bin/env python3
"""Measures `roadreel` beside other programs, on the program's own demo drive, and puts the ratios into the README.

    compare_peers.py ROADREEL [--picture RERUN.png]

Reading is compared with the PyPI package rosbags (`pip install rosbags numpy`), drawing with Rerun (`pip install rerun-sdk`, and Xvfb where
there is no display). What is not installed is passed over, which is said. The file cache is warm; each figure is the median of three runs.
For roadreel whole processes are timed, for rosbags what comes after its start and imports.
"""
import argparse, contextlib, json, os, shutil, statistics, subprocess, sys, tempfile, time
from importlib import metadata
from pathlib import Path

RUNS = 3
SPARSE = "/imu_raw"
SERIES = {
    "imu": "/imu_raw.linear_acceleration.x",
    "odom": "/odom.pose.pose.position.x",
    "objects": "/as_tx/objects.objects[:].twist.twist.linear.x",
}
CLOUD, CAMERA = "/os1_cloud_node/points", "/flir_adk/rgb_front_left/image_raw/compressed"
PICTURE = ["1600", "1000"]


def run(arguments, **more):
    """Wall seconds and peak resident MiB of a process and what it waited for."""
    start = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{arguments}: exit code {process.returncode}\n{errors.decode(errors='replace')[-2000:]}")
    per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return wall, usage.ru_maxrss / per_mib


def median(measure):
    return [statistics.median(column) for column in zip(*(measure() for _ in range(RUNS)))]


def child(task, *arguments):
    """One of the tasks below, in a process of its own; the seconds that it prints."""
    out = subprocess.run([sys.executable, __file__, task, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return (float(out.stdout),)


# — tasks —


def task_rosbags(bag, topic="", decode=""):
    """Reads all messages, or those of one topic."""
    from rosbags.rosbag1 import Reader
    from compare_rosbags import store_of

    start = time.perf_counter()
    with Reader(Path(bag)) as reader:
        store = store_of(reader) if decode else None
        wanted = [c for c in reader.connections if topic in ("", c.topic)]
        for connection, _, raw in reader.messages(wanted):
            if store:
                store.deserialize_ros1(raw, connection.msgtype)
    print(time.perf_counter() - start)


def task_series(bag, topic, *fields):
    """One scalar (or one of every element) out of every message of a topic."""
    from rosbags.rosbag1 import Reader
    from compare_rosbags import store_of
    import numpy as np

    def values(of, names):
        if not names:
            return [of]
        inner = getattr(of, names[0])
        if isinstance(inner, (list, np.ndarray)):
            return [v for element in inner for v in values(element, names[1:])]
        return values(inner, names[1:])

    start = time.perf_counter()
    times, found = [], []
    with Reader(Path(bag)) as reader:
        store = store_of(reader)
        for connection, nanos, raw in reader.messages([c for c in reader.connections if c.topic == topic]):
            here = values(store.deserialize_ros1(raw, connection.msgtype), fields)
            found.extend(here)
            times.extend([nanos] * len(here))
    np.array(times), np.array(found, "f8")
    print(time.perf_counter() - start)


def task_log(bag, rrd):
    """Writes cloud, camera and accelerations of a drive as Rerun would have them."""
    import numpy as np
    import rerun as rr
    from rosbags.rosbag1 import Reader
    from compare_rosbags import store_of

    kinds = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
    rr.init("drive")
    rr.save(rrd)
    with Reader(Path(bag)) as reader:
        store = store_of(reader)
        wanted = [c for c in reader.connections if c.topic in (CLOUD, CAMERA, SPARSE)]
        for connection, nanos, raw in reader.messages(wanted):
            m = store.deserialize_ros1(raw, connection.msgtype)
            rr.set_time("time", timestamp=np.datetime64(nanos, "ns"))
            if connection.topic == CLOUD:
                fields = {f.name: (kinds[f.datatype], f.offset) for f in m.fields}
                names = [name for name in ("x", "y", "z", "intensity") if name in fields]
                layout = {"names": names, "itemsize": m.point_step, "offsets": [fields[n][1] for n in names]}
                points = np.frombuffer(m.data, np.dtype({**layout, "formats": [fields[n][0] for n in names]}))
                positions = np.stack([points[axis] for axis in "xyz"], 1).astype("f4")
                gray = np.clip(points["intensity"].astype("f4"), 0, 255).astype("u1") if "intensity" in names else np.full(len(points), 200, "u1")
                rr.log("cloud", rr.Points3D(positions, colors=np.stack([gray] * 3, 1)))
            elif connection.topic == CAMERA:
                rr.log("camera", rr.EncodedImage(contents=m.data.tobytes(), media_type="image/jpeg"))
            else:
                for axis in "xyz":
                    rr.log(f"acceleration/{axis}", rr.Scalars(getattr(m.linear_acceleration, axis)))


# — comparisons —


def against_rosbags(roadreel, bag, rows):
    try:
        version = metadata.version("rosbags")
    except metadata.PackageNotFoundError:
        return print("passed over: the PyPI package rosbags is not installed (pip install rosbags numpy)")
    peer = f"rosbags {version}"
    all_, _ = median(lambda: run([roadreel, "check", bag]))
    one, _ = median(lambda: run([roadreel, "cat", "--topic", SPARSE, bag]))
    raw, decoded = median(lambda: child("rosbags", bag))[0], median(lambda: child("rosbags", bag, "", "decode"))[0]
    sparse = median(lambda: child("rosbags", bag, SPARSE, "decode"))[0]
    rows.append(time_row("read, verify and decode every message (`check`)", all_, f"{peer}, bytes only", raw))
    rows.append(time_row("the same", all_, f"{peer}, decoded", decoded))
    rows.append(time_row(f"read one sparse topic (`cat --topic {SPARSE}`)", one, f"{peer}, decoded", sparse))


def series_against_rosbags(bag, rows):
    """Scalars as plots read them: `cargo bench --bench series` on the same drive, decompression included on both sides."""
    try:
        peer = f"rosbags {metadata.version('rosbags')}"
    except metadata.PackageNotFoundError:
        return
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    environment = {**os.environ, "ROADREEL_BENCH_DRIVE": str(bag)}
    for name, path in SERIES.items():
        topic, *fields = path.replace("[:]", "").split(".")
        bench = subprocess.run(["cargo", "bench", "--bench", "series", "--", f"series/{name}"], env=environment, stdout=subprocess.DEVNULL)
        estimates = target / "criterion" / "series" / name / "new" / "estimates.json"
        if bench.returncode != 0 or not estimates.exists():
            return print("passed over: cargo bench --bench series gave no figures")
        ours = json.loads(estimates.read_text())["median"]["point_estimate"] * 1e-9
        theirs = median(lambda: child("series", bag, topic, *fields))[0]
        rows.append(time_row(f"the scalar `{path}` of every message", ours, f"{peer}, decoded", theirs))


def against_rerun(roadreel, bag, folder, picture, rows):
    try:
        version = metadata.version("rerun-sdk")
        import rerun_cli
    except ImportError:
        return print("passed over: Rerun is not installed (pip install rerun-sdk rosbags numpy)")
    viewer = next(Path(rerun_cli.__file__).parent.glob("rerun*"), None)
    with display() as environment:
        if not environment:
            return print("passed over: Rerun needs a display (apt-get install xvfb)")
        environment.update(XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))  # what others have set does not count
        rrd, theirs, ours = folder / "drive.rrd", folder / "rerun.png", folder / "roadreel.png"
        subprocess.run([sys.executable, __file__, "log", bag, rrd], check=True)

        def draw_theirs():
            theirs.unlink(missing_ok=True)
            spent = run([viewer, rrd, "--screenshot-to", theirs, "--window-size", "x".join(PICTURE)], env=environment)
            if not theirs.exists():
                sys.exit("Rerun drew no picture")
            return spent

        size = ["--size", "x".join(PICTURE), "--scale", "2"]
        wall, memory = median(lambda: run([roadreel, "screenshot", bag, "--seek-to", "50%", *size, "-o", ours]))
        their_wall, their_memory = median(draw_theirs)
        if picture:
            shutil.copy(theirs, picture)
    peer = f"Rerun {version}, cloud, one camera and accelerations only"
    rows.append(time_row("draw 3 s of the drive offscreen, the whole window (`screenshot`)", wall, peer, their_wall))
    rows.append(row("the same, peak memory", f"{memory:.0f} MiB", peer, f"{their_memory:.0f} MiB", their_memory / memory))


@contextlib.contextmanager
def display():
    """The environment of a program with a window; empty where there cannot be one."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        yield dict(os.environ)
        return
    if not shutil.which("Xvfb"):
        yield {}
        return
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as number:
        shown = number.readline().strip()
    try:
        yield {**os.environ, "DISPLAY": f":{shown}"}
    finally:
        server.terminate()
        server.wait()


def row(work, ours, peer, theirs, ratio):
    line = f"| {work} | {ours} | {theirs} ({peer}) | {ratio:.1f} × |"
    print(line)
    return line


def time_row(work, ours, peer, theirs):
    return row(work, f"{ours:.2f} s", peer, f"{theirs:.2f} s", theirs / ours)


def publish(name, text):
    """Puts a table into the README, between its marks."""
    readme = Path(__file__).parent.parent / "README.md"
    before, rest = readme.read_text().split(f"<!-- bench: {name} -->\n")
    _, after = rest.split(f"<!-- /bench: {name} -->")
    readme.write_text(f"{before}<!-- bench: {name} -->\n{text}\n<!-- /bench: {name} -->{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roadreel")
    parser.add_argument("--picture", help="keep Rerun's picture here")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        long, short = folder / "long.bag", folder / "short.bag"
        run([options.roadreel, "demo", "--seconds", "20", "-o", long])
        run([options.roadreel, "demo", "--seconds", "3", "-o", short])
        size = long.stat().st_size
        against_rosbags(options.roadreel, long, rows)
        whole = folder / "whole.bag"
        run([options.roadreel, "demo", "--seconds", "60", "-o", whole])
        series_against_rosbags(whole, rows)
        whole.unlink()
        against_rerun(options.roadreel, short, folder, options.picture, rows)
    if rows:
        head = f"In one run on {os.cpu_count()} cores; reading: the demo drive of 20 s, {size // 1_000_000} MB.\n\n"
        publish("peers", head + "| work | Roadreel | other | ratio |\n|---|---:|---:|---:|\n" + "\n".join(rows))


TASKS = {"rosbags": task_rosbags, "series": task_series, "log": task_log}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in TASKS:
        TASKS[sys.argv[1]](*sys.argv[2:])
    else:
        main()

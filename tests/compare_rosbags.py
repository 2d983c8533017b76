#!/usr/bin/env python3
"""Compares `roadreel cat --json` with what the PyPI package rosbags reads, value by value.

    compare_rosbags.py ROADREEL BAG…
"""
import base64, json, math, subprocess, sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from rosbags.rosbag1 import Reader
from rosbags.typesys import Stores, get_typestore, get_types_from_msg


def store_of(reader):
    store = get_typestore(Stores.EMPTY)
    types = {}
    for connection in reader.connections:
        types.update(get_types_from_msg(connection.msgdef.data, connection.msgtype))
    store.register(types)
    return store


def plain(value, kind, store):
    """A rosbags value as the JSON contract spells it. kind: (Nodetype, argument)."""
    number, argument = kind[0].value, kind[1]
    if number == 1:  # a base type
        name = argument[0]
        if name in ("float32", "float64"):
            value = float(value)
            if math.isnan(value):
                return "NaN"
            if math.isinf(value):
                return "Infinity" if value > 0 else "-Infinity"
            return ("f32", np.float32(value).tobytes()) if name == "float32" else ("f64", value)
        return value if name in ("string", "bool") else int(value)
    if number == 2:  # a nested type
        if argument in ("builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration"):
            return {"sec": value.sec, "nsec": value.nanosec}
        return message(value, argument, store)
    element = argument[0]
    if element[0].value == 1 and element[1][0] in ("uint8", "char", "byte", "octet") and isinstance(value, np.ndarray) and value.dtype == np.uint8:
        return base64.b64encode(value.tobytes()).decode()
    return [plain(item, element, store) for item in value]


def message(value, name, store):
    return {field: plain(getattr(value, field), kind, store) for field, kind in store.fielddefs[name][1]}


def same(ours, theirs):
    if isinstance(theirs, tuple):
        if isinstance(ours, (str, bool)):
            return False
        return np.float32(ours).tobytes() == theirs[1] if theirs[0] == "f32" else float(ours) == theirs[1]
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and list(ours) == list(theirs) and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, str) and isinstance(theirs, list):
        return False
    return ours == theirs and type(ours) is type(theirs)


def compare(roadreel, bag):
    ours = defaultdict(list)
    with subprocess.Popen([roadreel, "cat", "--json", bag], stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            line = json.loads(line)
            ours[line["time_ns"], line["topic"]].append(line)
    assert process.returncode == 0, process.returncode
    count = 0
    with Reader(Path(bag)) as reader:
        store = store_of(reader)
        for connection, time, raw in reader.messages():
            theirs = message(store.deserialize_ros1(raw, connection.msgtype), connection.msgtype, store)
            place = ours[time, connection.topic]
            found = next((i for i, line in enumerate(place) if same(line["message"], theirs)), None)
            if found is None:
                sys.exit(f"{bag}: {connection.topic} at {time}: rosbags reads {str(theirs)[:600]}, roadreel {str(place)[:600]}")
            assert place[found]["type"] == connection.msgtype.replace("/msg/", "/"), place[found]["type"]
            del place[found]
            count += 1
    rest = sum(map(len, ours.values()))
    if rest:
        sys.exit(f"{bag}: {rest} messages that rosbags does not read")
    print(f"{bag}: {count} messages are the same")


if __name__ == "__main__":
    for bag in sys.argv[2:]:
        compare(sys.argv[1], bag)

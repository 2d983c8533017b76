#!/usr/bin/env python3
"""Compares `roadreel find --json` with conditions that are evaluated here over what the PyPI package rosbags reads, span by span.

    compare_find.py ROADREEL BAG…
"""
import itertools, json, re, subprocess, sys
from pathlib import Path

from rosbags.rosbag1 import Reader
from rosbags.typesys import Stores, get_typestore, get_types_from_msg

BRAKE, STEER, IMU = "/vehicle/brake_report", "/vehicle/steering_report", "/imu_raw"
OBJECTS, LOG, ODOM = "/as_tx/objects", "/rosout", "/odom"

# each: the condition, the topics, and the same in Python of the newest messages (None before the first)
CONDITIONS = [
    (f"{BRAKE}.pedal_input > 0.3 and {STEER}.speed > 5", [BRAKE, STEER],
     lambda m: both(m[BRAKE] and m[BRAKE].pedal_input > 0.3, m[STEER] and m[STEER].speed > 5)),
    (f"{BRAKE}.pedal_input > 0.3 or {IMU}.linear_acceleration.z > 9.85", [BRAKE, IMU],
     lambda m: either(m[BRAKE] and m[BRAKE].pedal_input > 0.3, m[IMU] and m[IMU].linear_acceleration.z > 9.85)),
    (f"not ({IMU}.linear_acceleration.z >= 9.8) and {STEER}.speed < 8.05", [IMU, STEER],
     lambda m: both(m[IMU] and not m[IMU].linear_acceleration.z >= 9.8, m[STEER] and m[STEER].speed < 8.05)),
    (f"abs({IMU}.linear_acceleration.x) > 0.05", [IMU], lambda m: m[IMU] and abs(m[IMU].linear_acceleration.x) > 0.05),
    (f"{ODOM}.twist.twist.linear.x - {STEER}.speed > 0", [ODOM, STEER],
     lambda m: m[ODOM] and m[STEER] and m[ODOM].twist.twist.linear.x - m[STEER].speed > 0),
    (f"{OBJECTS}.objects[:]{{pose.pose.position.x > 20}}.id > 0", [OBJECTS],
     lambda m: m[OBJECTS] and any(o.id > 0 for o in m[OBJECTS].objects if o.pose.pose.position.x > 20)),
    (f"{OBJECTS}.objects.length >= 3", [OBJECTS], lambda m: m[OBJECTS] and len(m[OBJECTS].objects) >= 3),
    (f"{LOG}.level == WARN or {LOG}.msg =~ 'rak'", [LOG], lambda m: m[LOG] and (m[LOG].level == 4 or bool(re.search("rak", m[LOG].msg)))),
    (f"{BRAKE}.enabled", [BRAKE], lambda m: m[BRAKE] and m[BRAKE].enabled),
]


def both(a, b):
    return a is not None and b is not None and bool(a) and bool(b)


def either(a, b):
    return bool(a) or bool(b)


def expected(bag, topics, condition):
    newest, spans, since = dict.fromkeys(topics), [], None
    with Reader(bag) as reader:
        store = get_typestore(Stores.EMPTY)
        types = {}
        for connection in reader.connections:
            types.update(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        store.register(types)
        wanted = [connection for connection in reader.connections if connection.topic in topics]
        messages = ((time, connection.topic, store.deserialize_ros1(raw, connection.msgtype)) for connection, time, raw in reader.messages(wanted))
        for time, group in itertools.groupby(messages, key=lambda entry: entry[0]):
            for _, topic, message in group:
                newest[topic] = message
            holds = bool(condition(newest))
            if holds and since is None:
                since = time
            elif not holds and since is not None:
                spans.append((since, time))
                since = None
        # rosbags tells the end one nanosecond later
        if since is not None:
            spans.append((since, reader.end_time - 1))
    return spans


def main():
    roadreel, bags = sys.argv[1], sys.argv[2:]
    wrong = 0
    for bag in bags:
        with Reader(bag) as reader:
            there = {connection.topic for connection in reader.connections}
        for text, topics, condition in CONDITIONS:
            if not there.issuperset(topics):
                print(f"passed over: {Path(bag).name} lacks topics of {text}")
                continue
            output = subprocess.run([roadreel, "--no-cache", "find", bag, text, "--json"], capture_output=True, text=True)
            if output.returncode:
                print(f"failed: {text}: {output.stderr.strip()}")
                wrong += 1
                continue
            ours = [(line["start_ns"], line["end_ns"]) for line in map(json.loads, output.stdout.splitlines())]
            theirs = expected(Path(bag), topics, condition)
            is_same = ours == theirs
            wrong += not is_same
            print(f"{'same' if is_same else 'DIFFERENT'}: {len(theirs)} spans: {text}")
            if not is_same:
                print(f"  ours   {ours[:5]}\n  theirs {theirs[:5]}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

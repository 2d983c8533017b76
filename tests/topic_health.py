"""What the topic health panel should show of a bag, worked out with PyPI's rosbags and numpy.

    python tests/topic_health.py BAG [TOPIC]

One line a topic: messages, mean rate in Hz, jitter, gaps (periods of more than 2.5 times the median or mean; of topics of ten messages and more
that are not latched also what is silent at the bag's beginning or end for longer than that and than a second), longest of these; times in nanoseconds.
With TOPIC also its skew (receive time minus header stamp: median, least, greatest), stamps out of order, mean and largest size.
"""

import sys
from collections import defaultdict

import numpy as np
from rosbags.rosbag1 import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore


def main(path, wanted=None):
    times, latched = defaultdict(list), set()
    stamps, sizes = [], []
    store = get_typestore(Stores.EMPTY)
    with Reader(path) as bag:
        for connection in bag.connections:
            store.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
            if connection.ext.latching or connection.topic.endswith("tf_static"):
                latched.add(connection.topic)
        for connection, time, data in bag.messages():
            times[connection.topic].append(time)
            if connection.topic == wanted:
                message = store.deserialize_ros1(data, connection.msgtype)
                stamp = message.header.stamp
                if stamp.sec or stamp.nanosec:  # one that was never set says nothing
                    stamps.append((time, stamp.sec * 10**9 + stamp.nanosec))
                sizes.append(len(data))
    begin, end = min(map(min, times.values())), max(map(max, times.values()))
    for topic in sorted(times):
        t = np.sort(np.array(times[topic], dtype=np.int64))
        if len(t) < 2:
            print(topic, len(t))
            continue
        periods = np.diff(t)
        median = int(np.median(periods))
        limit = 2.5 * max(median, periods.mean())
        silent = list(periods)
        if len(t) >= 10 and topic not in latched:
            silent += [edge for edge in (t[0] - begin, end - t[-1]) if edge > max(limit, 10**9)]
        gaps = sum(period > limit for period in silent)
        print(topic, len(t), f"{1e9 / periods.mean():.3f}", int(periods.std()), gaps, max(silent))
    if stamps:
        stamps.sort(key=lambda s: s[0])
        skew = np.array([a - b for a, b in stamps])
        latest = np.maximum.accumulate([s for _, s in stamps])
        late = sum(s < m for (_, s), m in zip(stamps[1:], latest[:-1]))
        print("skew", int(np.median(skew)), skew.min(), skew.max(), "out of order", late)
        print("size", np.mean(sizes), max(sizes))


if __name__ == "__main__":
    main(*sys.argv[1:])

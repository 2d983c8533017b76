"""Writes expected.json: what numpy makes of a known signal. The tests of plots and paths compare with it.

    python3 tests/numpy/expected.py > tests/numpy/expected.json
"""
import json

import numpy as np


def lcg(n, seed=12345):
    """Numbers in 0..1 that any language can make again."""
    out, state = [], seed
    for _ in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append((state >> 33) / 2**31)
    return np.array(out)


N = 1000
noise = lcg(2 * N)
# not evenly spaced: 10 ms, give or take 2
nanos = np.cumsum(np.round(10_000_000 + (noise[N:] - 0.5) * 4_000_000).astype(np.int64))
t = nanos * 1e-9
v = 3.0 + 2.0 * np.sin(2 * np.pi * 5.0 * t) + 0.5 * np.sin(2 * np.pi * 12.5 * t) + (noise[:N] - 0.5) * 0.3


def window(f, n):
    return [float(f(v[max(0, i + 1 - n) : i + 1])) for i in range(N)]


dt = np.diff(t)
even = np.arange(N) * ((nanos[-1] - nanos[0]) * 1e-9 / (N - 1))
counts, edges = np.histogram(v, bins=37)
first, last = int(np.searchsorted(nanos, 2_000_000_000)), int(np.searchsorted(nanos, 7_000_000_000, side="right"))
part = v[first:last]
quaternions = lcg(40, 7).reshape(10, 4) * 2 - 1


def rpy(x, y, z, w):
    x, y, z, w = np.array([x, y, z, w]) / np.linalg.norm([x, y, z, w])
    m = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    return [float(np.arctan2(m[2, 1], m[2, 2])), float(-np.arcsin(m[2, 0])), float(np.arctan2(m[1, 0], m[0, 0]))]


print(
    json.dumps(
        {
            "nanos": nanos.tolist(),
            "values": v.tolist(),
            "derivative": (np.diff(v) / dt).tolist(),
            "delta": np.diff(v).tolist(),
            "timedelta": dt.tolist(),
            "integral": np.concatenate([[0.0], np.cumsum(dt * (v[1:] + v[:-1]) / 2)]).tolist(),
            "moving_average": window(np.mean, 10),
            "moving_rms": window(lambda w: np.sqrt(np.mean(w**2)), 10),
            "moving_variance": window(np.var, 10),
            "moving_stddev": window(np.std, 25),
            "samples_counter": [int(np.sum((nanos <= n) & (nanos > n - 500_000_000))) for n in nanos],
            "frequency": np.fft.rfftfreq(N, even[1])[1:].tolist(),
            # all have a twin of the negative frequency, but the last, at half the sampling frequency
            "amplitude": (np.abs(np.fft.rfft(v - v.mean()))[1:] * np.append(np.full(N // 2 - 1, 2), 1) / N).tolist(),
            "edges": edges.tolist(),
            "counts": counts.tolist(),
            "statistics": {
                "count": int(last - first),
                "mean": float(part.mean()),
                "stddev": float(part.std()),
                "rms": float(np.sqrt(np.mean(part**2))),
                "mean_absolute": float(np.mean(np.abs(part))),
                "min": float(part.min()),
                "max": float(part.max()),
                "peak_to_peak": float(np.ptp(part)),
            },
            "quaternions": quaternions.tolist(),
            "rpy": [rpy(*q) for q in quaternions],
        }
    )
)

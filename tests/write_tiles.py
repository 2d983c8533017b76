"""Writes basemaps with libraries that share nothing with Roadreel: NAME.pmtiles by PyPI `pmtiles`, NAME.mbtiles by SQLite.

Every tile of zooms 0 to 8 is there, but for those with x + y divisible by 5; each holds `z/x/y` and more, but for seas, x > 2y, which are
all the same, so that files join them. Prints what some tiles hold, as JSON; nothing: there is no such tile.
"""

import gzip
import json
import sqlite3
import sys

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

ZOOMS = range(9)


def content(z, x, y):
    if (x + y) % 5 == 0 and z > 0:
        return ""
    number = (x * 2654435761 + y * 2246822519) % (1 << 32)
    return "sea" if x > 2 * y else f"{z}/{x}/{y} {number ** (number % 29)}"


def every():
    return ((z, x, y) for z in ZOOMS for x in range(1 << z) for y in range(1 << z))


def tiles():
    return ((z, x, y, content(z, x, y).encode()) for z, x, y in every() if content(z, x, y))


def pmtiles(path):
    with open(path, "wb") as file:
        writer = Writer(file)
        for z, x, y, data in sorted(tiles(), key=lambda t: zxy_to_tileid(*t[:3])):
            writer.write_tile(zxy_to_tileid(z, x, y), gzip.compress(data, mtime=0))
        header = {
            "tile_type": TileType.PNG,
            "tile_compression": Compression.GZIP,
            "min_lon_e7": -1800000000,
            "min_lat_e7": -850000000,
            "max_lon_e7": 1800000000,
            "max_lat_e7": 850000000,
            "center_zoom": 0,
            "center_lon_e7": 0,
            "center_lat_e7": 0,
        }
        writer.finalize(header, {"attribution": "Survey of Everywhere"})


def mbtiles(path):
    """As the tools of the field write them: each picture once, `tiles` a view, rows counted from the south."""
    base = sqlite3.connect(path)
    base.executescript(
        """CREATE TABLE metadata (name TEXT, value TEXT);
        CREATE TABLE map (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_id TEXT);
        CREATE TABLE images (tile_id TEXT, tile_data BLOB);
        CREATE VIEW tiles AS SELECT zoom_level, tile_column, tile_row, tile_data FROM map JOIN images USING (tile_id);"""
    )
    facts = {"name": "Everywhere", "format": "png", "minzoom": "0", "maxzoom": "8", "attribution": "Survey of Everywhere"}
    base.executemany("INSERT INTO metadata VALUES (?, ?)", facts.items())
    images = {}
    for z, x, y, data in tiles():
        number = images.setdefault(data, str(len(images)))
        base.execute("INSERT INTO map VALUES (?, ?, ?, ?)", (z, x, (1 << z) - 1 - y, number))
    base.executemany("INSERT INTO images VALUES (?, ?)", ((number, data) for data, number in images.items()))
    base.commit()


if __name__ == "__main__":
    stem = sys.argv[1]
    pmtiles(stem + ".pmtiles")
    mbtiles(stem + ".mbtiles")
    print(json.dumps({f"{z}/{x}/{y}": content(z, x, y) for z, x, y in every() if z < 5 or (x * y) % 397 == z}))

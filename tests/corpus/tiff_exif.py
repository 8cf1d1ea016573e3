"""TIFF with a camera's EXIF, in both orders of bytes, and turned. Needs numpy, tifffile, and ExifTool on the path."""
import pathlib
import subprocess
import tempfile

import numpy as np
import tifffile

from corpus import Part

part = Part("tiff_exif")
H, W = 4, 6
y, x = np.mgrid[0:H, 0:W]
drawn = np.stack([x * 40, y * 60, (x + y) * 20], -1).astype(np.uint8)
TAGS = ["-Make=Millmaker", "-Model=Mill 3", "-Artist=A. Miller", "-DateTimeOriginal=2021:03:04 05:06:07", "-ExposureTime=1/250",
        "-FNumber=5.6", "-ISO=400", "-LensModel=A lens of some length 24-70", "-GPSLatitude=48.5", "-GPSLatitudeRef=N",
        "-ImageDescription=wheat", "-n", "-Orientation=6"]
for name, order in (("low_byte_first", "<"), ("high_byte_first", ">")):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.tif"
        tifffile.imwrite(path, drawn, photometric="rgb", byteorder=order, metadata=None, software=False)
        subprocess.run(["exiftool", "-q", "-overwrite_original", *TAGS, path], check=True)
        turned = np.rot90(drawn, -1)
        part.add(name + ".tif", path.read_bytes(), f"{H}x{W} 3 u8",
                 {place: tuple(turned[place[1], place[0]].tolist()) for place in ((0, 0), (3, 0), (1, 5))},
                 "EXIF 2.32, orientation 6: a quarter to the right; ExifTool 12.57 reads its tags", "none")
part.finish()

"""Writes vectors/: one matrix of 7 x 5 in the formats of other tools. Value (r, c) is 5r + c, in files of floats half of that less 4."""
import h5py
import numpy as np

integers = np.arange(35).reshape(7, 5)
floats = integers / 2 - 4
out = "vectors/"


def npy(name, array, version):
    with open(out + name, "wb") as file:
        np.lib.format.write_array(file, array, version=version)


npy("floats-f4-version1.npy", floats.astype("<f4"), (1, 0))
npy("floats-f8-version2.npy", floats.astype("<f8"), (2, 0))
npy("floats-f2-version3.npy", floats.astype("<f2"), (3, 0))
npy("floats-f4-big-endian.npy", floats.astype(">f4"), (1, 0))
npy("floats-f8-fortran.npy", np.asfortranarray(floats.astype("<f8")), (1, 0))
npy("integers-i1.npy", integers.astype("i1"), (1, 0))
npy("integers-u1.npy", integers.astype("u1"), (1, 0))
npy("integers-i2-big-endian-fortran.npy", np.asfortranarray(integers.astype(">i2")), (1, 0))
npy("integers-u2.npy", integers.astype("<u2"), (1, 0))
npy("integers-i4.npy", integers.astype("<i4"), (1, 0))
npy("integers-u4.npy", integers.astype("<u4"), (1, 0))
npy("integers-i8.npy", integers.astype("<i8"), (1, 0))
npy("integers-u8.npy", integers.astype("<u8"), (1, 0))

for name, array in (("floats.fvecs", floats.astype("<f4")), ("integers.ivecs", integers.astype("<i4"))):
    np.hstack([np.full((7, 1), 5, "<i4").view(array.dtype), array]).tofile(out + name)
np.hstack([np.tile(np.array([5, 0, 0, 0], "u1"), (7, 1)), integers.astype("u1")]).tofile(out + "integers.bvecs")
for name, array in (("floats.fbin", floats.astype("<f4")), ("integers.ibin", integers.astype("<i4")),
                    ("integers.u8bin", integers.astype("u1")), ("integers.i8bin", integers.astype("i1"))):
    with open(out + name, "wb") as file:
        file.write(np.array([7, 5], "<u4").tobytes() + array.tobytes())

with h5py.File(out + "floats-ann-benchmarks.hdf5", "w") as file:
    file.attrs["distance"] = "angular"
    file.create_dataset("train", data=floats.astype("<f4"), chunks=(3, 5), compression="gzip")
    file.create_dataset("test", data=floats[:2].astype("<f8"))
    file.create_dataset("neighbors", data=np.array([[0, 1], [1, 0]], "<i4"))
    file.create_dataset("line", data=np.arange(3))
with h5py.File(out + "integers-i8.h5", "w") as file:
    file.create_dataset("train", data=integers.astype("<i8"))

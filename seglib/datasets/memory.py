"""Samples that are read or drawn once and kept, for sets that fit into memory."""

from seglib.progress import Progress


class InMemory:
    """Keep all samples of a data set; apply ``transform`` anew each time one is asked for.

    A random transform so makes many versions of each, without decoding or drawing it again.

    Parameters
    ----------
    data : data set, read from 0 to its end
    transform : callable, optional
        Sample in, sample out; it must leave its input as it was, as those of `seglib.transforms` do.

    >>> from seglib.scenes import Cells
    >>> len(InMemory(Cells(3, size=16)))
    3
    """

    def __init__(self, data, transform=None):
        self.transform, self.samples = transform, []
        with Progress("reading") as bar:
            for index in range(len(data)):
                self.samples.append(data[index])
                bar.update((index + 1) / len(data))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.transform(self.samples[index]) if self.transform else self.samples[index]

"""How fast a model might be here, and which one fits: a guess from the memory's speed.

For each 80 ms of sound the decoder reads all its weights once, so the speed of memory decides;
before that the encoder has a fixed amount to compute. The guess is rough and says so; measuring
is better.
"""

from __future__ import annotations

import functools
import threading
import time

from voxtui.machine.hardware import Hardware
from voxtui.models import catalog
from voxtui.models.catalog import KnownModel

STEPS_PER_SECOND = 12.5
DECODER_WEIGHTS = 3.43e9
ENCODER_OPERATIONS = 97e9
"""For one second of sound."""
STEPS_PER_PASS = 2.1
"""So many steps are decided by one reading of the weights, since likely ones are guessed."""
EFFICIENCY = 0.6
"""What is reached of the memory's speed, and of the processor's, attention included."""
COMFORTABLE = 1.2
"""Times real time from which on a model keeps up with a person without effort."""

LEAST_BANDWIDTH = 8e9
"""What any machine of this century's second decade has; less was measured while it was busy."""

_SAMPLE = 512 << 20
"""Read by all threads together: no cache holds so much."""
_PASSES = 4
_OPERATIONS_PER_CORE = (  # a second, for the best instructions a processor has
    ("AMX", 400e9),
    ("VNNI", 400e9),
    ("I8MM", 300e9),
    ("AVX-VNNI", 200e9),
    ("dot product", 150e9),
    ("AVX-512", 150e9),
    ("AVX2", 80e9),
    ("NEON", 50e9),
)
_PLAIN_CORE = 10e9


def expected_speed(model: KnownModel, machine: Hardware, bandwidth: float) -> float:
    """Seconds of sound written in a second, at `bandwidth` bytes of memory a second."""
    weights = DECODER_WEIGHTS * model.bits / 8
    decoder_s = STEPS_PER_SECOND / STEPS_PER_PASS * weights / (bandwidth * EFFICIENCY)
    encoder_s = ENCODER_OPERATIONS / (_operations(machine) * EFFICIENCY)
    return 1.0 / (decoder_s + encoder_s)


def fits(model: KnownModel, machine: Hardware) -> bool:
    """Is there memory for it, with some left for the system?"""
    return not machine.memory or model.memory <= machine.memory * 0.9


def recommended(machine: Hardware, bandwidth: float) -> KnownModel:
    """The most exact one that keeps up with ease; where none does, the quickest that fits."""
    fitting = [model for model in catalog.CATALOG if fits(model, machine)]
    fitting = fitting or list(catalog.CATALOG[:1])
    easy = [model for model in fitting if expected_speed(model, machine, bandwidth) >= COMFORTABLE]
    return min(easy, key=lambda model: (model.errors, model.bits)) if easy else fitting[0]


@functools.cache
def memory_bandwidth(threads: int) -> float:
    """Bytes a second that `threads` can read at once. Takes half a second, the first time."""
    import numpy

    rates = [0.0] * threads
    ready = threading.Barrier(threads)

    def read(index: int) -> None:
        block = numpy.ones(_SAMPLE // threads // 8, numpy.int64)
        ready.wait()
        took = []
        for _ in range(_PASSES):
            began = time.perf_counter()
            numpy.maximum.reduce(block)
            took.append(time.perf_counter() - began)
        rates[index] = block.nbytes / min(took)  # others may take the processor meanwhile

    workers = [threading.Thread(target=read, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return max(LEAST_BANDWIDTH, sum(rates))


def _operations(machine: Hardware) -> float:
    """Operations a second of all cores."""
    for name, each in _OPERATIONS_PER_CORE:
        if name in machine.instructions:
            return each * machine.cores
    return _PLAIN_CORE * machine.cores

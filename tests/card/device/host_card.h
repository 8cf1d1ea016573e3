// A GPU made of the host's memory, as LibTorch sees one: a device of type "privateuseone" with queues that
// work while the caller goes on, page-locked memory, an allocator with a limit, and statistics. Layers are
// computed by LibTorch's CPU kernels, in the order in which they are given to a queue. With it the code for
// GPUs runs where there is none, in a test or, preloaded, in the whole program.
//
// $IMGMILL_CARD_MEMORY: bytes that it has [1 GiB].
#pragma once

#include <cstdint>

extern "C" {

struct HostCardCounts {
  int64_t to_card;      ///< copies that have arrived there
  int64_t from_card;    ///< copies that have arrived here
  int64_t layers;       ///< operators computed
  int64_t half_layers;  ///< of these, with an input of float16
  int64_t queues;       ///< that were ever used
};

/// What it has done since the process began. Thread-safe.
HostCardCounts host_card_counts();

/// The layer with that number, counted from now (1: the next), waits until so many more copies than now have
/// arrived at the card and here, for 20 seconds at most.
/// @param timed_out  set to 0 when they have, to 1 if they did not
void host_card_hold_layer(int64_t number, int64_t to_card, int64_t from_card, int* timed_out);
}

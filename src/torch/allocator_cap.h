// How much LibTorch's own allocator may take of a card: the one place where a device's budget can be
// enforced.
#pragma once

#include <optional>
#include <string>

namespace imgmill {

/// The allocator's settings with the share of a card's memory that it may take, 0..1, added to those that the
/// user has made. What stands last counts.
std::string WithMemoryFraction(const std::string& settings, double share);

/// Tells LibTorch that its allocator may take no more than this share of each card's memory: beyond it,
/// whoever asks (tensors, the workspaces of cuDNN and cuBLAS) is refused like on a card that is full.
/// LibTorch reads this once, when it first uses a card, and never again: later calls change nothing.
/// @return the share in force; nothing where this LibTorch has no such setting
std::optional<double> CapAllocator(double share);

}  // namespace imgmill

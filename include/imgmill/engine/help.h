// Threads that have nothing else to do, for the work on one image.
#pragma once

#include "imgmill/memory/footprint.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// What others may take over of the work on an image, and what is held for that beside its plan. It must make
/// no difference to results.
struct HelpOffer {
  int most = 0;    ///< threads beside the image's own
  Footprint once;  ///< held if there is any
  Footprint each;  ///< and for each of them
};

/// Helpers that may be counted on, and what they hold. Nothing of it is there without the lease.
struct Help {
  int threads = 0;
  Lease lease;
};

/// For Operation::Start: as many helpers as there are idle threads, or half of them, and so on, whose memory
/// can be had without waiting. None where memory has been short for the image, or is being measured.
Help AskForHelp(const HelpOffer& offer);

}  // namespace imgmill

// The host's end of an accelerator's copies: page-locked where the device has that, so that a copy neither
// waits for the CPU nor holds up the device's other work.
#pragma once

#include "torch/torch_headers.h"

namespace imgmill {

/// Bytes for copies to and from one accelerator, kept from batch to batch and grown where they must.
class Staging {
 public:
  /// At least so many, as a flat tensor; what was in it before is lost. @throws c10::Error, OutOfMemory
  torch::Tensor Bytes(size_t count);
  /// What `count` bytes are charged as: LibTorch rounds page-locked blocks up to powers of two.
  static size_t ChargeFor(size_t count);

 private:
  torch::Tensor held_;
};

}  // namespace imgmill

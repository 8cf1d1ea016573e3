// The digest of bytes that come in pieces, such as the rows of an image.
#pragma once

#include <cstddef>
#include <memory>

#include "imgmill/dataset/file_identity.h"

namespace imgmill {

/// XXH3-128, the same as DigestOfBytes of all the pieces together.
class RunningDigest {
 public:
  RunningDigest();
  ~RunningDigest();
  void Add(const void* data, size_t size);
  ContentDigest Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imgmill

// Images, in the order in which they are listed, become samples.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "imgmill/base/error.h"
#include "pack_operation.h"
#include "sample_writer.h"

namespace imgmill {

/// Those of one key belong together.
class SampleGatherer {
 public:
  using Put = std::function<Status(ShardSample)>;
  using Lost = std::function<void(const std::string& path, const Error& error)>;

  /// @param put   is given each sample once it is whole, its files by member
  /// @param lost  is told of a sample that no reader would read, with one of its files
  SampleGatherer(Put put, Lost lost);
  Status Add(const PackedImage& image);
  /// What is not yet put is whole.
  Status Finish();

 private:
  Status PutLast();

  Put put_;
  Lost lost_;
  std::vector<ShardSample> open_;  ///< each amid the images of the one before
};

}  // namespace imgmill

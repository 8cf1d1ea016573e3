// Images, in the order in which they are listed, become samples.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/error.h"
#include "imgmill/memory/memory_manager.h"
#include "pack_operation.h"
#include "sample_writer.h"

namespace imgmill {

/// Those of one key belong together.
class SampleGatherer {
 public:
  using Put = std::function<Status(ShardSample)>;

  /// The right to hold so many bytes more.
  using Room = std::function<Result<Lease>(size_t bytes)>;
  /// What a sample, with all that is made of it until it is written, holds without asking for room, and what
  /// it asks for at a time.
  static constexpr size_t kStep = size_t{1} << 20;

  /// @param put   is given each sample once it is whole, its files by member
  /// @param lost  is told of a sample that no reader would read, or that has more files than there is room
  ///   for, and then of each image that would have been part of it, without a path
  /// @param room  is asked; what it grants is kept as long as the gatherer lives, since whoever is given a
  ///   sample may read it again
  SampleGatherer(Put put, SampleWriter::Lost lost, Room room);
  Status Add(const PackedImage& image);
  /// What is not yet put is whole.
  Status Finish();

 private:
  struct Open {
    ShardSample sample;
    size_t bytes = 0;
    std::optional<Error> lost = {};  ///< for want of room: its other images are passed over
  };
  Status PutLast();
  /// Whether it may be held.
  Status Hold(Open& open, const PackedImage& image);

  Put put_;
  SampleWriter::Lost lost_;
  Room room_;
  std::vector<Open> open_;  ///< each amid the images of the one before
  size_t bytes_ = 0;        ///< of all of them
  std::vector<Lease> leases_;
};

}  // namespace imgmill

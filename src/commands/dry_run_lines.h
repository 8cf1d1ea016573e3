// What a dry run prints: a line for each image that it would work on, with the memory that it would lease.
// And how many files these would give.
#pragma once

#include <algorithm>
#include <string>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/text_sink.h"
#include "imgmill/dataset/record_table.h"
#include "imgmill/engine/operation.h"

namespace imgmill {

class DryRunLines {
 public:
  void Add(const Outcome& outcome) {
    lines_.Add(PrintablePath(outcome.file.path) + ": " + FormatByteSize(outcome.lease_bytes) + "\n");
    largest_lease_ = std::max(largest_lease_, outcome.lease_bytes);
    const Prospect one = outcome.prospect.value_or(Prospect{std::nullopt});
    prospect_.at_most = prospect_.at_most || one.at_most;
    prospect_.files =
        prospect_.files && one.files ? std::optional(*prospect_.files + *one.files) : std::nullopt;
  }
  uint64_t count() const { return lines_.size(); }
  size_t largest_lease() const { return largest_lease_; }
  /// Of all these images.
  const Prospect& prospect() const { return prospect_; }
  TextWriter Text() const {
    return [lines = lines_](const TextSink& put) { return lines.ForEach(put); };
  }

 private:
  RecordTable<std::string> lines_;
  size_t largest_lease_ = 0;
  Prospect prospect_{0};
};

}  // namespace imgmill

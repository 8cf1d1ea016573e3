// One image that an operation writes: name, row writer, temporary file and publishing, for every operation
// that has one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "imgmill/engine/output_folder.h"
#include "imgmill/image/writer.h"

namespace imgmill {

class ImageOutput {
 public:
  /// Metadata is taken over from the item's file.
  /// Nothing is on disk until this returned; what is not committed is removed.
  static Result<std::unique_ptr<ImageOutput>> Create(OutputFolder& folder, const Item& item,
                                                     std::string relative, const Layout& layout,
                                                     const WriteOptions& options);

  Status Write(const ImageView& rows) { return writer_->Write(rows); }
  /// Completes the file and publishes it.
  Status Commit(const Item& item);
  /// What the format could not hold, once committed.
  void AppendNotes(std::vector<std::string>& notes) const {
    notes.insert(notes.end(), notes_.begin(), notes_.end());
  }

 private:
  ImageOutput(OutputFolder& folder, std::string relative, std::string temporary)
      : folder_(folder), relative_(std::move(relative)), temporary_(std::move(temporary)) {}

  OutputFolder& folder_;
  std::string relative_;
  TemporaryFile temporary_;  // before the writer: it must be closed before the file is removed
  std::unique_ptr<RowWriter> writer_;
  std::vector<std::string> notes_;
};

}  // namespace imgmill

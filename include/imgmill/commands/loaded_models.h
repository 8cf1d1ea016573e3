// The models of a run by their weight files: steps with the same one load it once, and none outlives the last
// step that needs it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/infer/model_runtime.h"

namespace imgmill {

/// Used from one thread.
class LoadedModels {
 public:
  /// The one that was loaded from this file, if it has not changed since; null if there is none.
  /// @param purpose  "upscale", "embed 224": one file may be read in several ways
  std::shared_ptr<BatchModel> Find(const std::string& path, const std::string& purpose) const;
  void Keep(const std::string& path, const std::string& purpose, std::shared_ptr<BatchModel> model);

  /// Lets go of all but those of these files. @return how many that were
  size_t KeepOnly(std::span<const std::string> paths);

 private:
  struct Entry {
    std::string path;
    std::string purpose;
    FileStamp stamp;
    std::shared_ptr<BatchModel> model;
  };
  std::vector<Entry> entries_;
};

}  // namespace imgmill

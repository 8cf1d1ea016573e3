// One file of results that is written from its beginning under a temporary name, and published whole.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "imgmill/engine/output_folder.h"

namespace imgmill {

class GrowingFile {
 public:
  /// kConflict if a file is there that no run with this catalog wrote, unless `overwrite`.
  static Result<std::unique_ptr<GrowingFile>> Create(const std::string& path, Catalog& catalog,
                                                     bool overwrite);
  /// What Create would refuse, without a trace.
  static Status MayCreate(const std::string& path, Catalog& catalog, bool overwrite);
  ~GrowingFile();  ///< without Commit: nothing has appeared
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  Status Write(const void* data, size_t bytes);
  Status Write(std::string_view text) { return Write(text.data(), text.size()); }
  /// Over the first bytes of the file.
  Status WriteFirst(std::string_view text);
  Status Commit();

  const std::string& path() const { return path_; }
  /// Of its bytes, once it is committed.
  const ContentDigest& digest() const { return item_.main.content; }

 private:
  GrowingFile(const std::string& path, Catalog& catalog, bool overwrite);
  Error Failed(int number) const;

  const std::string path_;
  OutputFolder folder_;
  Item item_;
  std::unique_ptr<TemporaryFile> temporary_;
  std::FILE* file_ = nullptr;
};

}  // namespace imgmill

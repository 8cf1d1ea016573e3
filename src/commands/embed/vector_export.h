// Vectors as a file for other programs, written as they come and published whole.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/commands/command.h"

namespace imgmill {

class VectorExport {
 public:
  /// Whether the file's extension is one that is written, or the path ends in a slash: a folder as
  /// clip-retrieval reads it.
  static bool Knows(std::string_view path);
  /// The files that an export to `path` makes, the main one first.
  static std::vector<std::string> FilesOf(const std::string& path);
  /// The names that Knows takes, for messages.
  static constexpr char kNames[] = ".npy, .parquet, .csv or .jsonl, or a folder, with a slash at its end";

  /// kConflict if a file is there that no run with this catalog wrote, unless `overwrite`.
  /// @param kind  what made the vectors, for formats that can say so
  static Result<std::unique_ptr<VectorExport>> Create(const std::string& path, const std::string& kind,
                                                      const CommandServices& services, bool overwrite);
  /// What Create would refuse, without a trace: for a plan or a dry run.
  static Status MayCreate(const std::string& path, Catalog& catalog, bool overwrite);
  virtual ~VectorExport() = default;  ///< without Commit: nothing has appeared

  /// One more row. `path` is the image's.
  virtual Status Add(const std::string& path, const std::string& content, std::span<const float> vector) = 0;

  /// Publishes the file, and what belongs beside it before it.
  virtual Status Commit() = 0;

  /// The files that Commit makes, the main one first.
  virtual std::vector<std::string> files() const = 0;
};

}  // namespace imgmill
